//! Generates the gRPC services between drivers, executors, workers and masters: messages are serde types, so no protoc is needed.

use tonic_build::manual::{Builder, Method, Service};

/// A method of a service whose messages are types of the crate.
fn method(name: &str, route: &str, input: &str, output: &str) -> tonic_build::manual::MethodBuilder {
    Method::builder()
        .name(name)
        .route_name(route)
        .input_type(input)
        .output_type(output)
        .codec_path("vonk_rpc::PostcardCodec")
}

fn main() {
    let driver = Service::builder()
        .package("vonk")
        .name("Driver")
        .method(
            method(
                "attach",
                "Attach",
                "crate::remote::protocol::FromExecutor",
                "crate::remote::protocol::ToExecutor",
            )
            .client_streaming()
            .server_streaming()
            .build(),
        )
        .method(
            method(
                "results",
                "Results",
                "crate::remote::protocol::ResultFrame",
                "crate::remote::protocol::Taken",
            )
            .client_streaming()
            .build(),
        )
        .build();
    let stream = |name: &str, route: &str, input: &str, output: &str| {
        method(name, route, input, output).client_streaming().server_streaming().build()
    };
    let call =
        |name: &str, route: &str, input: &str, output: &str| method(name, route, input, output).build();
    let master = Service::builder()
        .package("vonk")
        .name("Master")
        .method(stream(
            "worker",
            "Worker",
            "vonk_scheduler::master::FromWorker",
            "crate::standalone::protocol::ToWorkerFrame",
        ))
        .method(stream(
            "application",
            "Application",
            "vonk_scheduler::master::FromApplication",
            "vonk_scheduler::master::ToApplication",
        ))
        .method(call(
            "command",
            "Command",
            "crate::standalone::protocol::Command",
            "crate::standalone::protocol::CommandAnswer",
        ))
        .build();
    Builder::new().compile(&[driver, master]);
    println!("cargo:rerun-if-changed=build.rs");
}
