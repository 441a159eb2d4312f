//! gRPC reflection: the protocol of Flight, for tools like `grpcurl` that ask a server what it speaks.
//!
//! The descriptions are made here from a table, since builds run no protoc. What Flight SQL says travels inside of Flight's bytes and is not
//! described.
//!
//! Must not know: what calls do.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto,
};

const PACKAGE: &str = "arrow.flight.protocol";
const TIMESTAMP: &str = "google/protobuf/timestamp.proto";

/// A field: name, number, type. Types in capitals are messages or enumerations; `*` in front is for many.
type FieldRow = (&'static str, i32, &'static str);

const MESSAGES: &[(&str, &[FieldRow])] = &[
    ("HandshakeRequest", &[("protocol_version", 1, "uint64"), ("payload", 2, "bytes")]),
    ("HandshakeResponse", &[("protocol_version", 1, "uint64"), ("payload", 2, "bytes")]),
    ("BasicAuth", &[("username", 2, "string"), ("password", 3, "string")]),
    ("Empty", &[]),
    ("ActionType", &[("type", 1, "string"), ("description", 2, "string")]),
    ("Criteria", &[("expression", 1, "bytes")]),
    ("Action", &[("type", 1, "string"), ("body", 2, "bytes")]),
    ("CancelFlightInfoRequest", &[("info", 1, "FlightInfo")]),
    ("RenewFlightEndpointRequest", &[("endpoint", 1, "FlightEndpoint")]),
    ("Result", &[("body", 1, "bytes")]),
    ("CancelFlightInfoResult", &[("status", 1, "enum CancelStatus")]),
    ("SchemaResult", &[("schema", 1, "bytes")]),
    ("FlightDescriptor", &[("type", 1, "enum DescriptorType"), ("cmd", 2, "bytes"), ("path", 3, "*string")]),
    (
        "FlightInfo",
        &[
            ("schema", 1, "bytes"),
            ("flight_descriptor", 2, "FlightDescriptor"),
            ("endpoint", 3, "*FlightEndpoint"),
            ("total_records", 4, "int64"),
            ("total_bytes", 5, "int64"),
            ("ordered", 6, "bool"),
            ("app_metadata", 7, "bytes"),
        ],
    ),
    (
        "PollInfo",
        &[
            ("info", 1, "FlightInfo"),
            ("flight_descriptor", 2, "FlightDescriptor"),
            ("progress", 3, "double"),
            ("expiration_time", 4, ".google.protobuf.Timestamp"),
        ],
    ),
    (
        "FlightEndpoint",
        &[
            ("ticket", 1, "Ticket"),
            ("location", 2, "*Location"),
            ("expiration_time", 3, ".google.protobuf.Timestamp"),
            ("app_metadata", 4, "bytes"),
        ],
    ),
    ("Location", &[("uri", 1, "string")]),
    ("Ticket", &[("ticket", 1, "bytes")]),
    (
        "FlightData",
        &[
            ("flight_descriptor", 1, "FlightDescriptor"),
            ("data_header", 2, "bytes"),
            ("app_metadata", 3, "bytes"),
            ("data_body", 1000, "bytes"),
        ],
    ),
    ("PutResult", &[("app_metadata", 1, "bytes")]),
];

/// Calls: name, what they take, what they give; `*` in front is for a stream.
const METHODS: &[(&str, &str, &str)] = &[
    ("Handshake", "*HandshakeRequest", "*HandshakeResponse"),
    ("ListFlights", "Criteria", "*FlightInfo"),
    ("GetFlightInfo", "FlightDescriptor", "FlightInfo"),
    ("PollFlightInfo", "FlightDescriptor", "PollInfo"),
    ("GetSchema", "FlightDescriptor", "SchemaResult"),
    ("DoGet", "Ticket", "*FlightData"),
    ("DoPut", "*FlightData", "*PutResult"),
    ("DoExchange", "*FlightData", "*FlightData"),
    ("DoAction", "Action", "*Result"),
    ("ListActions", "Empty", "*ActionType"),
];

fn field((name, number, t): &FieldRow) -> FieldDescriptorProto {
    let (label, t) = match t.strip_prefix('*') {
        Some(many) => (Label::Repeated, many),
        None => (Label::Optional, *t),
    };
    let (kind, type_name) = match t {
        "uint64" => (Type::Uint64, None),
        "int64" => (Type::Int64, None),
        "int32" => (Type::Int32, None),
        "double" => (Type::Double, None),
        "bool" => (Type::Bool, None),
        "bytes" => (Type::Bytes, None),
        "string" => (Type::String, None),
        "enum DescriptorType" => (Type::Enum, Some(format!(".{PACKAGE}.FlightDescriptor.DescriptorType"))),
        "enum CancelStatus" => (Type::Enum, Some(format!(".{PACKAGE}.CancelStatus"))),
        full if full.starts_with('.') => (Type::Message, Some(full.to_string())),
        message => (Type::Message, Some(format!(".{PACKAGE}.{message}"))),
    };
    FieldDescriptorProto {
        name: Some((*name).to_string()),
        number: Some(*number),
        label: Some(label as i32),
        r#type: Some(kind as i32),
        type_name,
        ..FieldDescriptorProto::default()
    }
}

fn message(name: &str, fields: &[FieldRow]) -> DescriptorProto {
    DescriptorProto {
        name: Some(name.to_string()),
        field: fields.iter().map(field).collect(),
        ..DescriptorProto::default()
    }
}

fn enumeration(name: &str, values: &[&str]) -> EnumDescriptorProto {
    let value = |(number, name): (i32, &&str)| EnumValueDescriptorProto {
        name: Some((*name).to_string()),
        number: Some(number),
        options: None,
    };
    EnumDescriptorProto {
        name: Some(name.to_string()),
        value: (0..).zip(values).map(value).collect(),
        ..EnumDescriptorProto::default()
    }
}

/// The files `Flight.proto` and what it needs.
pub fn descriptors() -> FileDescriptorSet {
    let mut messages: Vec<DescriptorProto> =
        MESSAGES.iter().map(|(name, fields)| message(name, fields)).collect();
    for descriptor in messages.iter_mut().filter(|m| m.name() == "FlightDescriptor") {
        descriptor.enum_type.push(enumeration("DescriptorType", &["UNKNOWN", "PATH", "CMD"]));
    }
    let status =
        ["UNSPECIFIED", "CANCELLED", "CANCELLING", "NOT_CANCELLABLE"].map(|s| format!("CANCEL_STATUS_{s}"));
    let method = |(name, input, output): &(&str, &str, &str)| {
        let full = |t: &str| Some(format!(".{PACKAGE}.{}", t.trim_start_matches('*')));
        MethodDescriptorProto {
            name: Some((*name).to_string()),
            input_type: full(input),
            output_type: full(output),
            client_streaming: Some(input.starts_with('*')),
            server_streaming: Some(output.starts_with('*')),
            options: None,
        }
    };
    let service = ServiceDescriptorProto {
        name: Some("FlightService".to_string()),
        method: METHODS.iter().map(method).collect(),
        options: None,
    };
    let flight = FileDescriptorProto {
        name: Some("Flight.proto".to_string()),
        package: Some(PACKAGE.to_string()),
        dependency: vec![TIMESTAMP.to_string()],
        message_type: messages,
        enum_type: vec![enumeration("CancelStatus", &status.each_ref().map(String::as_str))],
        service: vec![service],
        syntax: Some("proto3".to_string()),
        ..FileDescriptorProto::default()
    };
    let timestamp = FileDescriptorProto {
        name: Some(TIMESTAMP.to_string()),
        package: Some("google.protobuf".to_string()),
        message_type: vec![message("Timestamp", &[("seconds", 1, "int64"), ("nanos", 2, "int32")])],
        syntax: Some("proto3".to_string()),
        ..FileDescriptorProto::default()
    };
    FileDescriptorSet { file: vec![timestamp, flight] }
}
