"""Shapes of what the API answers, one a row: members with their types, for people and for the OpenAPI document.

A type is a name of JSON's (``date-time`` and ``duration`` are texts), ``[type]``, ``type|null``, ``any``, or another
shape's name; ``?`` behind a member's name says that it may be missing. The names of the protocol's shapes are kept.
"""

from __future__ import annotations

SHAPES: dict[str, str] = {
    "Error": "message: string, _embedded?: Errors, state?: string, allowed?: [State], problems?: [object]",
    "Errors": "errors: [ErrorPart]",
    "ErrorPart": "message: string, path?: string, line?: integer, column?: integer",
    "Label": "key: string, value: string",
    "Breakpoint": "id: string, value?: string",
    # -- executions
    "StateChange": "state: State, date: date-time",
    "StateHistory": "current: State, histories?: [StateChange], duration?: duration, startDate?: date-time, "
    "endDate?: date-time",
    "Execution": "id: string, tenantId: string, namespace: string, flowId: string, flowRevision: integer, "
    "taskRunList: [TaskRun], inputs: object, outputs: object, labels: [Label], variables: object, state: StateHistory, "
    "parentId?: string, originalId: string, trigger?: ExecutionTrigger, metadata: Metadata, kind: Kind, "
    "version: integer, error?: string, lastTask?: string, breakpoints?: [Breakpoint], "
    "scheduleDate?: date-time",
    "ExecutionTrigger": "id: string, type: string|null, variables?: object",
    "Metadata": "attemptNumber: integer, originalCreatedDate?: date-time",
    "LightExecution": "id: string, tenantId: string, namespace: string, flowId: string, flowRevision: integer, "
    "labels: [Label], state: StateHistory, parentId?: string, originalId: string, trigger?: ExecutionTrigger, "
    "metadata: Metadata, kind: Kind, version: integer, error?: string, lastTask?: string, scheduleDate?: date-time",
    "ExecutionStatusEvent": "executionId: string, tenantId: string, namespace: string, flowId: string, "
    "revision: integer, state: StateHistory",
    "LastExecution": "id: string, flowId: string, namespace: string, startDate: date-time, status: State",
    "TaskRun": "id: string, executionId: string, namespace: string, flowId: string, taskId: string, "
    "parentTaskRunId?: string, value?: string, iteration?: integer, attempts: [Attempt], state: StateHistory, "
    "error?: string",
    "Attempt": "state: StateHistory, workerId?: string, error?: string",
    "TaskOutputInformation": "executionId: string, taskRunId: string, taskId: string, parentTaskRunId?: string, "
    "value?: string, iteration?: integer, state: State, keys: [string]",
    "ValidatedInputs": "id: string, namespace: string, inputs: [ValidatedInput], checks: [any]",
    "ValidatedInput": "input: object, value?: any, enabled: boolean, isDefault: boolean, errors: [ErrorPart]",
    "EvalResult": "result?: string, value?: any, error?: string, stackTrace?: string, line?: integer, column?: integer",
    "ExportProgress": "id: string, format: string, total: integer, state: string, rows: integer, bytes: integer, "
    "error: string|null",
    "FileMetas": "size: integer, fileName: string, contentType: string",
    "FilePreview": "extension: string, type: string, content: any, truncated: boolean",
    # -- flows
    "Flow": "id: string, namespace: string, tenantId: string, revision: integer, disabled: boolean, deleted: boolean, "
    "updated: date-time, tasks?: [object], inputs?: [object], description?: string|null, source?: string",
    "FlowWithSource": "id: string, namespace: string, tenantId: string, revision: integer, disabled: boolean, "
    "deleted: boolean, updated: date-time, source: string, tasks?: [object], inputs?: [object]",
    "FlowSearchResult": "model: Flow, fragments: [string]",
    "FlowDependencies": "nodes: [FlowName], edges: [FlowEdge]",
    "FlowName": "uid: string, namespace: string, id: string",
    "FlowEdge": "source: string, target: string, relation: string",
    "BulkResponse": "count: integer",
    "Task": "id: string, type: string",
    "ValidateConstraintViolation": "index: integer, flow: string|null, namespace: string|null, "
    "constraints: string|null, outdated: boolean, deprecationPaths: [string], warnings: [string], infos: [string], "
    "violations: [ErrorPart]",
    "FlowGraph": "nodes: [GraphNode], edges: [GraphEdge], clusters: [GraphCluster], flowables: [string]",
    "GraphNode": "uid: string, kind: string, type: string, cluster?: string|null, branchType?: string|null, "
    "inLoop?: boolean, members?: [string], task?: any",
    "GraphEdge": "source: string, target: string, relation: any",
    "GraphCluster": "cluster: any, nodes: [string], parents: [string], start: string, end: string",
    # -- logs and metrics
    "LogEntry": "namespace: string, flowId: string, taskId?: string, executionId: string, taskRunId?: string, "
    "attemptNumber?: integer, timestamp: date-time, level: Level, message: string, seq: integer, lineNumber: integer",
    "MetricEntry": "namespace: string, flowId: string, taskId: string, executionId: string, taskRunId: string, "
    "type: string, name: string, value: number, timestamp: date-time, tags: object",
    "MetricAggregations": "groupBy: string, aggregations: [MetricAggregation]",
    "MetricAggregation": "name: string, value: number, date: date-time",
    # -- triggers
    "TriggerState": "namespace: string, flowId: string, triggerId: string, updatedAt?: date-time, "
    "evaluatedAt?: date-time, nextEvaluationDate?: date-time, lastTriggeredDate?: date-time, executionId?: string, "
    "backfill?: Backfill, missed?: Backfill, stopAfter: [string], disabled: boolean, locked: boolean, why?: string, "
    "error?: string, met?: [string]",
    "TriggerAndState": "trigger: object, state: TriggerState",
    "Backfill": "start: date-time, end: date-time, currentDate?: date-time, paused: boolean, inputs?: object, "
    "labels?: [Label], progress: number, started: integer, ended: integer, failed: integer, running: [string]",
    "ConcurrencyLimit": "namespace: string, flowId: string, running: integer, queued: integer, limit: integer|null",
    "WebhookResponse": "id: string, tenantId: string, namespace: string, flowId: string, trigger: object, url: string, "
    "flowRevision?: integer, state?: StateHistory, outputs?: object",
    # -- many at once, and what people keep
    "AsyncOperation": "operationId: string, totalItems: integer, failed?: [any]",
    "Operation": "id: string, action: string, state: string, totalItems: integer, done: integer, refused: integer, "
    "unknown: integer, left: integer, actor: string, origin: string, reason?: string, selection: object, "
    "details?: object, retryOf?: string, createdAt: date-time, startedAt?: date-time, endedAt?: date-time",
    "OperationPreview": "action: string, totalItems: integer, possible: integer, refused: [Refusals], unknown: any",
    "Refusals": "why: string, count: integer, examples: [string]",
    "OperationResult": "position: integer, executionId: string, result: string, why?: string, newId?: string, "
    "namespace?: string, flowId?: string, state?: State",
    "FieldValue": "value: any, count: integer",
    "User": "name: string, role: string, grants: object, disabled: boolean, source: string",
    "Session": "id: string, user: string, createdAt: date-time, seenAt: date-time, expiresAt: date-time, "
    "address: string|null, device: string|null",
    "Token": "id: string, name: string, user: string, role: string, namespaces: null|[string], hint: string, "
    "createdAt: date-time, expiresAt: date-time|null, usedAt: date-time|null",
    "NewToken": "id: string, name: string, user: string, role: string, namespaces: null|[string], hint: string, "
    "createdAt: date-time, expiresAt: date-time|null, usedAt: date-time|null, token: string",
    "AuditRow": "seq: integer, at: date-time, actor: string, action: string, target: string, origin: string, "
    "address: string|null, token: string|null, reason: string|null, before: any, after: any",
    "View": "id: string, name: string, owner: string, shared: boolean, query: string, pinned: boolean, "
    "default: boolean, createdAt: date-time, updatedAt: date-time",
}
