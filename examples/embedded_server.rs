//! Vonk inside of a web server: queries as JSON over HTTP, a session of its own for each request, stopped when the client goes away.
//!
//! ```sh
//! cargo run --release -p vonk --example embedded_server            # answers one request of its own, and ends
//! cargo run --release -p vonk --example embedded_server -- 8080    # stays: curl 'localhost:8080/orders?priority=1-URGENT'
//! ```

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vonk::Session;
use vonk::functions::{col, count, sum, year};

#[derive(Deserialize)]
struct Wanted {
    priority: String,
}

#[derive(Serialize, Deserialize)]
struct Year {
    year: i32,
    orders: i64,
    total: f64,
}

/// Planning and waiting are no work for the threads that serve.
async fn orders(
    State(session): State<Session>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Year>>, (StatusCode, String)> {
    let answer = tokio::task::spawn_blocking(move || -> vonk::Result<Vec<Year>> {
        session
            .new_session()
            .table("samples.tpch.orders")?
            .filter(col("o_orderpriority").eq(wanted.priority))?
            .group_by(year("o_orderdate").alias("year"))
            .agg((count("*").alias("orders"), sum(col("o_totalprice").cast("double")).alias("total")))?
            .order_by("year")?
            .collect_as()
    });
    match answer.await {
        Ok(Ok(years)) => Ok(Json(years)),
        Ok(Err(e)) => Err((StatusCode::BAD_REQUEST, e.to_string())),
        Err(e) => Err((StatusCode::INTERNAL_SERVER_ERROR, e.to_string())),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::builder().build()?;
    let app = Router::new().route("/orders", get(orders)).with_state(session);
    let port: Option<u16> = std::env::args().nth(1).map(|p| p.parse()).transpose()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).await?;
    let address = listener.local_addr()?;
    println!("listening on loopback");
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    if port.is_some() {
        server.await??;
        return Ok(());
    }
    let mut client = tokio::net::TcpStream::connect(address).await?;
    let request = "GET /orders?priority=1-URGENT HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    client.read_to_string(&mut response).await?;
    println!("{}", response.lines().last().unwrap_or_default());
    Ok(())
}
