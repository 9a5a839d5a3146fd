"""Settings, declared once: environment (``WATCHFLOOR_…``), a ``watchfloor.env`` file, or the defaults here.

``docs/settings.md`` lists the same table; a test compares them.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from engine.flow_size import FlowSize
from engine.retention import Rule, parse_rules
from watchfloor import urls

TLS_FILES = {"redis_ca_file": "ssl_ca_certs", "redis_cert_file": "ssl_certfile", "redis_key_file": "ssl_keyfile"}
"""Settings of TLS to Redis, and what clients call them in a URL."""


class Settings(BaseSettings):
    """All settings of all processes. Sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="WATCHFLOOR_", env_file="watchfloor.env", extra="ignore")

    host: str = Field("127.0.0.1", description="Address the web process listens on.")
    port: int = Field(8050, ge=0, le=65535, description="Port of the web process; 0 takes a free one.")
    data_dir: Path = Field(Path("var"), description="Folder of everything that `watchfloor up` keeps.")
    flows_dir: Path = Field(Path("flows"), description="Folder of flow files; changes are picked up as they happen.")
    redis_url: str | None = Field(None, description="Redis or Valkey server; unset: an embedded Valkey.")
    redis_ca_file: Path | None = Field(None, description="Who signed the server's certificate, for rediss://.")
    redis_cert_file: Path | None = Field(None, description="Certificate shown to the server, for rediss://.")
    redis_key_file: Path | None = Field(None, description="Key of that certificate.")
    database_url: str | None = Field(
        None, description="PostgreSQL, as postgresql://user:password@host/database; unset: SQLite in the data folder."
    )
    database_connections: int = Field(15, ge=1, description="Connections to the database one process may open.")
    database_wait: float = Field(15.0, gt=0, description="How long a request waits for one that is free.")
    files_url: str | None = Field(None, description="fsspec URL for files; unset: a folder in the data folder.")
    public_url: str | None = Field(None, description="Address users type, when a proxy stands before the web process.")
    proxies: int = Field(0, ge=0, description="Proxies before the web process whose X-Forwarded-For is believed.")
    secret_key: SecretStr | None = Field(None, description="Signs sessions; unset: made once, kept in the data folder.")
    admin_password: SecretStr | None = Field(None, description="Password of `admin`, set at the first start.")
    session_hours: int = Field(12, ge=1, description="How long a login lasts.")
    login_rate: str = Field("10 per minute", description="Login attempts allowed an address.")
    refusal_rate: str = Field("60 per minute", description="Refused requests of one person told apart; more get 429.")
    password_min: int = Field(10, ge=1, description="Letters a new password has at least.")
    token_max_days: int = Field(366, ge=1, description="Days an API token may last at most.")
    audit_export_max: int = Field(1_000_000, ge=1, description="Rows one export of the audit may have.")
    oidc_issuer: str | None = Field(None, description="Address of an OpenID Connect issuer; unset: passwords only.")
    oidc_client_id: str | None = Field(None, validate_default=True, description="What we are called there.")
    oidc_client_secret: SecretStr | None = Field(None, description="Our secret there; unset: a public client.")
    oidc_scopes: str = Field("openid profile email", description="Scopes asked for.")
    oidc_name_claim: str = Field("preferred_username", description="Claim that names the user.")
    oidc_groups_claim: str = Field("groups", description="Claim with the user's groups.")
    oidc_roles: dict[str, str] = Field(
        {}, description='Roles of groups: `{"ops": "operator", "data": "admin@company.data", "*": "viewer"}`.'
    )
    oidc_title: str = Field("Sign in with your organisation", description="The button on the login page.")
    metrics_token: SecretStr | None = Field(None, description="Lets Prometheus read `/metrics`; unset: users only.")
    log_level: str = Field("INFO", description="Level of Watchfloor's own logs.")
    log_format: Literal["console", "json"] = Field("console", description="Form of its lines on standard error.")
    log_file_bytes: int = Field(10_000_000, ge=10_000, description="Size at which a file in `logs` moves on.")
    log_files: int = Field(5, ge=1, description="Full files kept of each kind of process.")
    worker_processes: int = Field(2, ge=1, description="Tasks one worker runs at once.")
    kill_grace: float = Field(10.0, ge=0, description="Time a killed task has between SIGTERM and SIGKILL.")
    stop_grace: float = Field(10.0, ge=0, description="Time running tasks have to end when their worker is to stop.")
    task_max_resubmits: int = Field(
        1, ge=0, description="How often a task runs again because its worker died; once more fails it."
    )
    task_max_attempts: int = Field(1_000, ge=1, description="Tries one task may have by its retry.")
    task_max_log_lines: int = Field(100_000, ge=1, description="Log lines kept of one attempt; more are counted.")
    task_max_line_bytes: int = Field(16_384, ge=80, description="Length at which one log line is cut.")
    task_max_output_bytes: int = Field(1_048_576, ge=1024, description="Size of one task's outputs; more fails it.")
    task_max_metrics: int = Field(1_000, ge=1, description="Metrics one attempt may give.")
    folder_max_bytes: int = Field(1_073_741_824, ge=1024, description="Size of the folder of one WorkingDirectory.")
    files_wait: float = Field(60.0, ge=0, description="How long an attempt waits for room in the file storage.")
    flow_max_bytes: int = Field(2_097_152, ge=1024, description="Size of one flow file.")
    flow_max_values: int = Field(
        100_000, ge=100, description="Values one flow file may have, aliases counted; so many are read in some 10 s."
    )
    foreach_max_values: int = Field(10_000, ge=1, description="Values one ForEach may have.")
    execution_max_task_runs: int = Field(100_000, ge=1, description="Task runs one execution may have.")
    subflow_max_depth: int = Field(20, ge=1, description="How deep subflows may nest.")
    subflow_max_executions: int = Field(20_000, ge=1, description="Executions that subflows may make below one.")
    loop_max_iterations: int = Field(1_000, ge=1, description="Rounds one LoopUntil may make.")
    loop_max_duration: float = Field(604_800.0, gt=0, description="How long one LoopUntil may take.")
    expression_timeout: float = Field(1.0, gt=0, description="Time one expression may take.")
    expression_max_bytes: int = Field(1_048_576, ge=1024, description="Size of one expression's result.")
    http_max_bytes: int = Field(268_435_456, ge=1, description="Size of one HTTP answer; more fails the task.")
    http_max_seconds: float = Field(600.0, gt=0, description="Time one HTTP request may take as a whole.")
    http_inline_bytes: int = Field(262_144, ge=0, description="Size from which an answer's body is kept as a file.")
    kv_max_bytes: int = Field(1_048_576, ge=2, description="Size of one value of a key-value store, as JSON.")
    kv_max_keys: int = Field(100_000, ge=1, description="Keys one namespace's key-value store may have.")
    upload_max_bytes: int = Field(268_435_456, ge=1, description="Size of one uploaded file, or of one form.")
    execution_max_labels: int = Field(100, ge=1, description="Labels one execution may have.")
    schedules: bool = Field(True, description="Start executions by their schedules.")
    recover_missed_schedules: Literal["ALL", "LAST", "NONE"] = Field(
        "LAST", description="Which missed dates of schedules are made up for: all, the last, none."
    )
    schedule_missed_after: float = Field(60.0, ge=0, description="How late a date may start and is not missed yet.")
    backfill_running: int = Field(10, ge=1, description="Executions of one backfill that run at a time.")
    backfill_max_dates: int = Field(100_000, ge=1, description="Dates one backfill may have.")
    flow_trigger_max_chain: int = Field(20, ge=1, description="Flow triggers that may follow one another.")
    webhook_rate: str = Field("600 per minute", description="Webhook calls allowed an address.")
    webhook_max_bytes: int = Field(1_048_576, ge=1, description="Size of a webhook call's body.")
    partitions: int = Field(1, ge=1, le=64, description="Parts the events are divided into, an executor for each.")
    partition: int = Field(0, ge=0, description="Which of them this executor works on, counted from 0.")
    executor_batch: int = Field(1_000, ge=1, description="Events applied in one commit at the most.")
    live_cache_executions: int = Field(20_000, ge=100, description="Executions an executor keeps in memory.")
    live_cache_task_runs: int = Field(200_000, ge=100, description="Task runs these may have in all.")
    deltas_cap: int = Field(20_000, ge=100, description="Commits kept for browsers that come back.")
    deltas_max_bytes: int = Field(64_000_000, ge=1_000_000, description="Memory that Redis keeps them in, about.")
    frame_interval: float = Field(0.012, gt=0, description="Shortest time between two frames to one browser.")
    frame_max_items: int = Field(2_000, ge=10, description="Items in one frame; log lines over it are skipped.")
    subscriber_buffer_items: int = Field(5_000, ge=10, description="Items waiting for one browser and topic.")
    retention: Annotated[dict[str, Rule], NoDecode] = Field(
        {}, description='Which ended executions are kept: `{"*": {"days": 30}, "company.team": {"count": 10000}}`.'
    )
    retention_every: float = Field(60.0, gt=0, description="Time between two looks for what retention doesn't keep.")
    retention_step: int = Field(50, ge=1, le=500, description="Executions that retention removes at once.")
    exports_at_once: int = Field(2, ge=1, description="Exports one web process makes at a time; one more is refused.")
    export_stall: int = Field(60, ge=1, description="Time whoever gets an export may take nothing of it.")
    bulk_max_ids: int = Field(50_000, ge=1, description="Executions one operation may name by their ids.")
    operation_max_items: int = Field(200_000, ge=1, description="Executions one operation may have.")
    operation_ahead: int = Field(400, ge=50, description="Executions of operations that wait for an executor at most.")
    operation_days: float = Field(30.0, gt=0, description="How long ended operations and their results are kept.")
    page_size_max: int = Field(500, ge=1, description="Rows of one page at the most.")
    views_max: int = Field(200, ge=1, description="Saved views one person may have.")
    action_wait: float = Field(5.0, gt=0, description="How long an action waits for its answer before 504.")

    @field_validator("partition")
    @classmethod
    def _partition(cls, given: int, info: ValidationInfo) -> int:
        count = info.data.get("partitions", 1)
        if given >= count:
            raise ValueError(f"expected a number below {count} (WATCHFLOOR_PARTITIONS), the first partition is 0")
        return given

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, given: str | None) -> str | None:
        return urls.issuer_url(given)

    @field_validator("oidc_client_id")
    @classmethod
    def _client_id(cls, given: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("oidc_issuer") and not given:
            raise ValueError("expected what we are called at the issuer (WATCHFLOOR_OIDC_ISSUER is set)")
        return given

    @field_validator("oidc_roles")
    @classmethod
    def _oidc_roles(cls, given: dict[str, str]) -> dict[str, str]:
        for group, roles in given.items():
            for part in roles.split(","):
                name, at, namespace = part.strip().partition("@")
                if name not in ("viewer", "operator", "admin") or (at and not namespace):
                    raise ValueError(f"expected viewer, operator or admin, or one@namespace, for the group {group!r}")
        return given

    @field_validator("retention", mode="before")
    @classmethod
    def _retention(cls, given: Any) -> dict[str, Rule]:
        return parse_rules(given)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, given: str | None) -> str | None:
        return urls.redis_url(given)

    @field_validator(*TLS_FILES)
    @classmethod
    def _tls(cls, given: Path | None, info: ValidationInfo) -> Path | None:
        return urls.tls_file(given, info.data.get("redis_url"))

    @field_validator("database_url")
    @classmethod
    def _database(cls, given: str | None) -> str | None:
        return urls.database_url(given)

    @cached_property
    def resolved_database_url(self) -> str:
        """The database URL, SQLite under the data folder by default."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'watchfloor.db'}"

    @property
    def flow_size(self) -> FlowSize:
        """How large a flow file may be."""
        return FlowSize(self.flow_max_bytes, self.flow_max_values)

    @property
    def database_pool(self) -> dict[str, Any]:
        """Options of a ``Store`` that serves many at once."""
        return {"connections": self.database_connections, "wait": self.database_wait}

    @cached_property
    def resolved_redis_url(self) -> str:
        """The Redis URL with its TLS files, the embedded server's socket by default."""
        if self.redis_url is None:
            return f"unix://{self.data_dir.resolve() / 'valkey.sock'}"
        return urls.with_options(self.redis_url, {option: getattr(self, name) for name, option in TLS_FILES.items()})

    @cached_property
    def resolved_files_url(self) -> str:
        """The file storage URL, a folder by default."""
        return self.files_url or (self.data_dir.resolve() / "files").as_uri()
