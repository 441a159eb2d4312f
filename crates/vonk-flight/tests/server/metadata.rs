//! What drivers ask of the catalog and of the server.

use crate::running::{Client, Running, fetch, rows, status, table};
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int32Type;
use arrow::datatypes::Schema;
use arrow_flight::sql::{
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetTables, CommandGetXdbcTypeInfo, CommandStatementQuery, ProstMessageExt,
    SqlInfo,
};
use arrow_flight::{FlightDescriptor, FlightInfo, IpcMessage};
use prost::Message;
use std::collections::BTreeSet;

async fn answer(client: &mut Client, info: FlightInfo) -> String {
    let schema = info.clone().try_decode_schema().unwrap();
    let batches = fetch(client, info).await.unwrap();
    assert!(batches.iter().all(|b| b.schema().as_ref() == &schema));
    table(&batches)
}

fn tables(schema: Option<&str>, table: Option<&str>, types: &[&str]) -> CommandGetTables {
    CommandGetTables {
        catalog: None,
        db_schema_filter_pattern: schema.map(str::to_string),
        table_name_filter_pattern: table.map(str::to_string),
        table_types: types.iter().map(|t| t.to_string()).collect(),
        include_schema: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog() {
    let server = Running::new().await;
    let mut client = server.client().await;
    for sql in [
        "CREATE DATABASE shop",
        "CREATE TABLE shop.items (id INT NOT NULL, price DECIMAL(10,2), tags ARRAY<STRING>) USING parquet",
        "CREATE TABLE shop.item_s (id INT) USING parquet",
        "CREATE VIEW shop.cheap AS SELECT id FROM shop.items",
        "CREATE TEMPORARY VIEW mine AS SELECT 1 AS x",
        "CREATE GLOBAL TEMPORARY VIEW ours AS SELECT 1 AS x",
    ] {
        rows(&mut client, sql).await.unwrap();
    }
    let info = client.get_catalogs().await.unwrap();
    assert_eq!(answer(&mut client, info).await, "samples\nspark_catalog");
    let schemas = |catalog: Option<&str>, pattern: Option<&str>| CommandGetDbSchemas {
        catalog: catalog.map(str::to_string),
        db_schema_filter_pattern: pattern.map(str::to_string),
    };
    let info = client.get_db_schemas(schemas(None, None)).await.unwrap();
    assert_eq!(answer(&mut client, info).await, "samples,tpch\nspark_catalog,default\nspark_catalog,shop");
    let info = client.get_db_schemas(schemas(Some("SPARK_catalog"), Some("S%"))).await.unwrap();
    assert_eq!(answer(&mut client, info).await, "spark_catalog,shop");
    let info = client.get_table_types().await.unwrap();
    assert_eq!(answer(&mut client, info).await, "TABLE\nTEMPORARY VIEW\nVIEW");
    for (command, expected) in [
        (
            tables(Some("shop"), None, &[]),
            "spark_catalog,shop,cheap,VIEW\nspark_catalog,shop,item_s,TABLE\nspark_catalog,shop,items,TABLE",
        ),
        (tables(None, Some("ITEM\\_%"), &[]), "spark_catalog,shop,item_s,TABLE"),
        (tables(None, None, &["VIEW"]), "spark_catalog,shop,cheap,VIEW"),
        (tables(None, None, &["TEMPORARY VIEW"]), ",,mine,TEMPORARY VIEW\n,global_temp,ours,TEMPORARY VIEW"),
        (tables(Some("nope"), None, &[]), ""),
        (tables(Some("tpch"), Some("line%"), &[]), "samples,tpch,lineitem,TABLE"),
        (
            CommandGetTables { catalog: Some(String::new()), ..tables(None, Some("mine"), &[]) },
            ",,mine,TEMPORARY VIEW",
        ),
    ] {
        let info = client.get_tables(command.clone()).await.unwrap();
        assert_eq!(answer(&mut client, info).await, expected, "{command:?}");
    }
    // With columns.
    let command = CommandGetTables { include_schema: true, ..tables(Some("shop"), Some("items"), &[]) };
    let info = client.get_tables(command).await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    let bytes = batches[0].column(4).as_binary::<i32>().value(0).to_vec();
    let schema = Schema::try_from(IpcMessage(bytes.into())).unwrap();
    let fields: Vec<String> = schema
        .fields()
        .iter()
        .map(|f| format!("{} {} {}", f.name(), f.metadata()["ARROW:FLIGHT:SQL:TYPE_NAME"], f.is_nullable()))
        .collect();
    assert_eq!(fields, ["id INT false", "price DECIMAL(10,2) true", "tags ARRAY<STRING> true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_none_and_types_are_all() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let (catalog, db_schema, table) = (None, None, "t".to_string());
    let none = [
        client
            .get_primary_keys(CommandGetPrimaryKeys { catalog: None, db_schema: None, table: "t".into() })
            .await,
        client
            .get_exported_keys(CommandGetExportedKeys {
                catalog: catalog.clone(),
                db_schema: db_schema.clone(),
                table: table.clone(),
            })
            .await,
        client.get_imported_keys(CommandGetImportedKeys { catalog, db_schema, table }).await,
        client.get_cross_reference(CommandGetCrossReference::default()).await,
    ];
    for (info, columns) in none.into_iter().zip([6, 13, 13, 13]) {
        let info = info.unwrap();
        assert_eq!(info.clone().try_decode_schema().unwrap().fields().len(), columns);
        assert_eq!(answer(&mut client, info).await, "");
    }
    let info = client.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: None }).await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    let names: BTreeSet<&str> = batches[0].column(0).as_string::<i32>().iter().flatten().collect();
    assert!(
        ["BIGINT", "DECIMAL", "STRING", "TIMESTAMP", "MAP"].iter().all(|n| names.contains(n)),
        "{names:?}"
    );
    let info = client.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: Some(4) }).await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    assert_eq!(batches[0].column(0).as_string::<i32>().value(0), "INT");
    assert_eq!(batches[0].column(1).as_primitive::<Int32Type>().values(), &[4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_is() {
    let server = Running::with(|o| o.read_only = true, &[]).await;
    let mut client = server.client().await;
    let info = client.get_sql_info(vec![]).await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    let names: BTreeSet<u32> = batches[0]
        .column(0)
        .as_primitive::<arrow::datatypes::UInt32Type>()
        .values()
        .iter()
        .copied()
        .collect();
    // All that the protocol knows but the versions of Substrait, which is not spoken.
    let known = (0..=11).chain([100, 101]).chain(500..=576).filter(|n| ![6, 7].contains(n));
    let missing: Vec<u32> = known.filter(|n| !names.contains(n)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let info = client
        .get_sql_info(vec![SqlInfo::FlightSqlServerReadOnly, SqlInfo::FlightSqlServerName])
        .await
        .unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    let values = batches[0].column(1).as_union();
    assert_eq!(values.len(), 2);
    assert_eq!(values.value(0).as_string::<i32>().value(0), "Vonk");
    assert!(values.value(1).as_boolean().value(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_without_running() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let ask = |sql: &str| {
        let command = CommandStatementQuery { query: sql.into(), transaction_id: None };
        FlightDescriptor::new_cmd(command.as_any().encode_to_vec())
    };
    let result = client.inner_mut().get_schema(ask("SELECT 1 AS a, 'x' AS b")).await.unwrap().into_inner();
    let schema = Schema::try_from(&result).unwrap();
    assert_eq!(schema.fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>(), ["a", "b"]);
    client.inner_mut().get_schema(ask("CREATE TABLE t (i INT) USING parquet")).await.unwrap();
    assert!(rows(&mut client, "SELECT * FROM t").await.is_err(), "it did not run");
    // Metadata, and what there is not.
    let command = CommandGetDbSchemas::default().as_any().encode_to_vec();
    let result =
        client.inner_mut().get_schema(FlightDescriptor::new_cmd(command)).await.unwrap().into_inner();
    assert_eq!(Schema::try_from(&result).unwrap().fields().len(), 2);
    let poll = client.inner_mut().poll_flight_info(ask("SELECT 1 AS a")).await.unwrap().into_inner();
    assert!(poll.flight_descriptor.is_none());
    assert_eq!(answer(&mut client, poll.info.unwrap()).await, "1");
    let begin = status(client.begin_transaction().await.unwrap_err());
    assert_eq!(begin.code(), tonic::Code::Unimplemented);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_answer_everybody() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let server = Running::with(|o| o.users = Some(crate::sessions::users()), &[]).await;
    let service = "arrow.flight.protocol.FlightService".to_string();
    let request = HealthCheckRequest { service: service.clone() };
    let health = HealthClient::new(server.channel().await).check(request).await.unwrap().into_inner();
    assert_eq!(health.status, 1, "it serves");
    let mut reflection = ServerReflectionClient::new(server.channel().await);
    let mut ask = async |message: MessageRequest| {
        let request = tonic_reflection::pb::v1::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(message),
        };
        let stream = futures::stream::iter([request]);
        let answer = reflection.server_reflection_info(stream).await.unwrap().into_inner().message().await;
        answer.unwrap().unwrap().message_response.unwrap()
    };
    let MessageResponse::ListServicesResponse(list) = ask(MessageRequest::ListServices(String::new())).await
    else {
        panic!("no list");
    };
    assert!(list.service.iter().any(|s| s.name == service), "{list:?}");
    let MessageResponse::FileDescriptorResponse(files) =
        ask(MessageRequest::FileContainingSymbol(service)).await
    else {
        panic!("no file");
    };
    let file = prost_types::FileDescriptorProto::decode(&files.file_descriptor_proto[0][..]).unwrap();
    assert_eq!(file.service[0].method.len(), 10);
}
