"""The messages between the Functions host and its Python worker, built at run time from a table.

Names, numbers and types are those of the public FunctionRpc protocol, as far as the worker library reads or writes
them, so no code generator and no particular protobuf version is needed.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped]  # protobuf ships no types
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    message_factory,
)

PACKAGE = "AzureFunctionsRpcMessages"

# One line per message. A field is `name number type`; `*` repeated, `@` map from string, `|` member of the one oneof.
MESSAGES = {
    "StreamingMessage": (
        "request_id 1 string; |rpc_log 2 RpcLog;"
        "|worker_init_request 17 WorkerInitRequest; |worker_init_response 16 WorkerInitResponse;"
        "|functions_metadata_request 29 FunctionsMetadataRequest;"
        "|function_metadata_response 30 FunctionMetadataResponse;"
        "|function_load_request 8 FunctionLoadRequest; |function_load_response 9 FunctionLoadResponse;"
        "|invocation_request 4 InvocationRequest; |invocation_response 5 InvocationResponse"
    ),
    "WorkerInitRequest": (
        "host_version 1 string; @capabilities 2 string; worker_directory 4 string; function_app_directory 5 string"
    ),
    "WorkerInitResponse": (
        "worker_version 1 string; @capabilities 2 string; result 3 StatusResult; worker_metadata 4 WorkerMetadata"
    ),
    "WorkerMetadata": (
        "runtime_name 1 string; runtime_version 2 string; worker_version 3 string; worker_bitness 4 string;"
        "@custom_properties 5 string"
    ),
    "FunctionsMetadataRequest": "function_app_directory 1 string",
    "FunctionMetadataResponse": (
        "*function_metadata_results 1 RpcFunctionMetadata; result 2 StatusResult; use_default_metadata_indexing 3 bool"
    ),
    "RpcFunctionMetadata": (
        "name 4 string; directory 1 string; script_file 2 string; entry_point 3 string; @bindings 6 BindingInfo;"
        "is_proxy 7 bool; status 8 StatusResult; language 9 string; *raw_bindings 10 string; function_id 13 string;"
        "managed_dependency_enabled 14 bool; retry_options 15 RpcRetryOptions; @properties 16 string"
    ),
    "RpcRetryOptions": (
        "max_retry_count 2 int32; delay_interval 3 Duration; minimum_interval 4 Duration;"
        "maximum_interval 5 Duration; retry_strategy 6 RpcRetryOptions.RetryStrategy"
    ),
    "BindingInfo": "type 2 string; direction 3 BindingInfo.Direction; data_type 4 BindingInfo.DataType",
    "FunctionLoadRequest": "function_id 1 string; metadata 2 RpcFunctionMetadata",
    "FunctionLoadResponse": "function_id 1 string; result 2 StatusResult",
    "InvocationRequest": (
        "invocation_id 1 string; function_id 2 string; *input_data 3 ParameterBinding; @trigger_metadata 4 TypedData;"
        "trace_context 5 RpcTraceContext; retry_context 6 RetryContext"
    ),
    "RpcTraceContext": "trace_parent 1 string; trace_state 2 string; @attributes 3 string",
    "RetryContext": "retry_count 1 int32; max_retry_count 2 int32; exception 3 RpcException",
    "InvocationResponse": (
        "invocation_id 1 string; *output_data 2 ParameterBinding; return_value 4 TypedData; result 3 StatusResult"
    ),
    "ParameterBinding": "name 1 string; |data 2 TypedData",
    "TypedData": (
        "|string 1 string; |json 2 string; |bytes 3 bytes; |stream 4 bytes; |http 5 RpcHttp; |int 6 sint64;"
        "|double 7 double"
    ),
    "RpcHttp": (
        "method 1 string; url 2 string; @headers 3 string; body 4 TypedData; @params 10 string;"
        "status_code 12 string; @query 15 string; enable_content_negotiation 16 bool; *cookies 19 RpcHttpCookie"
    ),
    "RpcHttpCookie": "name 1 string; value 2 string",
    "StatusResult": "status 4 StatusResult.Status; result 1 string; exception 2 RpcException",
    "RpcException": "source 3 string; stack_trace 1 string; message 2 string; is_user_exception 4 bool; type 5 string",
    "RpcLog": (
        "invocation_id 1 string; category 2 string; level 3 RpcLog.Level; message 4 string; event_id 5 string;"
        "exception 6 RpcException; properties 7 string"
    ),
}

ENUMS = {
    "StatusResult.Status": "Failure Success Cancelled",
    "BindingInfo.Direction": "in out inout",
    "BindingInfo.DataType": "undefined string binary stream",
    "RpcRetryOptions.RetryStrategy": "exponential_backoff fixed_delay",
    "RpcLog.Level": "Trace Debug Information Warning Error Critical None",
}

FIELD = re.compile(r"(?P<mark>[*@|]?)(?P<name>\w+) (?P<number>\d+) (?P<type>[\w.]+)")
Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "string": Field.TYPE_STRING,
    "bytes": Field.TYPE_BYTES,
    "bool": Field.TYPE_BOOL,
    "int32": Field.TYPE_INT32,
    "sint64": Field.TYPE_SINT64,
    "double": Field.TYPE_DOUBLE,
}


def build() -> SimpleNamespace:
    """The message classes by name: what the worker library is handed as `protos`."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(duration_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(_file())
    names = [f"{PACKAGE}.{name}" for name in MESSAGES]
    classes = (message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names)
    return SimpleNamespace(**dict(zip(MESSAGES, classes, strict=True)))


def _file() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="FunctionRpc.proto", package=PACKAGE, syntax="proto3")
    file.dependency.append("google/protobuf/duration.proto")
    for name, fields in MESSAGES.items():
        _fill(file.message_type.add(name=name), name, fields)
    return file


def _fill(message: Any, name: str, fields: str) -> None:
    for mark, field, number, kind in FIELD.findall(fields):
        _add(message, name, mark, field, int(number), kind)
    for full, values in ENUMS.items():
        if full.startswith(f"{name}."):
            enum = message.enum_type.add(name=full.partition(".")[2])
            for index, value in enumerate(values.split()):
                enum.value.add(name=value, number=index)


def _add(message: Any, owner: str, mark: str, name: str, number: int, kind: str) -> None:
    if mark == "@":
        kind = _map_entry(message, owner, name, kind)
    repeated = mark in ("*", "@")
    label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, label=label, **_type(kind))
    if mark == "|":
        if not message.oneof_decl:
            message.oneof_decl.add(name=_oneof(owner))
        field.oneof_index = 0


def _oneof(owner: str) -> str:
    return {"StreamingMessage": "content", "TypedData": "data", "ParameterBinding": "rpc_data"}[owner]


def _map_entry(message: Any, owner: str, name: str, kind: str) -> str:
    entry = message.nested_type.add(name="".join(word.capitalize() for word in name.split("_")) + "Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=Field.LABEL_OPTIONAL, type=Field.TYPE_STRING)
    entry.field.add(name="value", number=2, label=Field.LABEL_OPTIONAL, **_type(kind))
    return f"{owner}.{entry.name}"


def _type(kind: str) -> dict[str, Any]:
    if kind in SCALARS:
        return {"type": SCALARS[kind]}
    if kind == "Duration":
        return {"type": Field.TYPE_MESSAGE, "type_name": ".google.protobuf.Duration"}
    return {"type": Field.TYPE_ENUM if kind in ENUMS else Field.TYPE_MESSAGE, "type_name": f".{PACKAGE}.{kind}"}


protos = build()
