"""The Celery application: how a job travels to a worker."""

from __future__ import annotations

from urllib.parse import quote

from celery import Celery

from engine.worker.queues import QUEUE
from watchfloor.settings import Settings
from watchfloor.urls import with_options

TASK_NAME = "watchfloor.run"
_VISIBILITY_SECONDS = 60  # a job that a dead worker had not started yet goes out again after this
_SILENCE_SECONDS = 5  # a worker that waits for an answer for this long connects anew, whatever became of the connection
_IMPORTANT = {
    "task_ignore_result": True,
    "result_backend": None,
    "task_acks_late": True,
    "task_reject_on_worker_lost": False,
    "worker_prefetch_multiplier": 1,
    "worker_enable_prefetch_count_reduction": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_send_task_events": False,
    "worker_enable_remote_control": False,
    "worker_consumer": "engine.worker.consumer:PatientConsumer",
    "worker_proc_alive_timeout": 20.0,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_connection_timeout": 2,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_default_queue": QUEUE,
    "task_queue_max_priority": None,
    "enable_utc": True,
}


def broker_url(redis_url: str) -> str:
    """A Redis URL as Celery's transport spells it: a Unix socket is ``redis+socket://``, and TLS needs an option."""
    if redis_url.startswith("rediss://"):
        return with_options(redis_url, {"ssl_cert_reqs": "required"})
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    database = dict(pair.partition("=")[::2] for pair in query.split("&") if pair).get("db", "0")
    return f"redis+socket://{quote(path)}?virtual_host={database}"


def build_app(settings: Settings) -> Celery:
    """An application for ``settings``; building two in one process is fine."""
    app = Celery("watchfloor", broker=broker_url(settings.resolved_redis_url), set_as_current=False)
    app.conf.update(_IMPORTANT)
    app.conf.broker_transport_options = {
        "global_keyprefix": "wf:celery:",
        "visibility_timeout": _VISIBILITY_SECONDS,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
        "socket_timeout": _SILENCE_SECONDS,
        "health_check_interval": 10,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.05,
        "interval_max": 0.1,
    }
    return app
