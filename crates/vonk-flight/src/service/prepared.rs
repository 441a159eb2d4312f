//! Prepared statements: made, bound, executed, closed.
//!
//! What is kept is the text, what is known of it, and the values that were bound last. It is planned anew for each execution: plans depend
//! on values (which files and row groups are read), and tables change.

use super::{Answered, Service, blocking, no_transaction, schema_bytes};
use crate::parameters;
use crate::sessions::{Call, ClientSession};
use crate::status::{garbage, to_status, unknown};
use crate::wire;
use arrow::datatypes::{DataType as ArrowType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::sql::{ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult};
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo};
use futures::stream::{BoxStream, StreamExt};
use parking_lot::Mutex;
use prost::bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use vonk::{Parameters, Prepared, StructField};
use vonk_error::Error;

/// Statements that one session may have prepared at once.
const MOST: usize = 1024;
/// Executions that one binding may ask for: their values are kept.
const MOST_ROWS: usize = 100_000;

/// A prepared statement.
pub struct PreparedStatement {
    text: Arc<str>,
    known: Prepared,
    /// Values of the parameters, once for each execution.
    bound: Mutex<Vec<Parameters>>,
}

impl PreparedStatement {
    fn columns(&self) -> SchemaRef {
        wire::schema(&self.known.schema)
    }

    /// The parameters as fields: those of `?` are named by their places.
    fn parameters(&self) -> SchemaRef {
        let field = |(i, p): (usize, &vonk::PreparedParameter)| {
            let name = p.name.clone().unwrap_or_else(|| format!("parameter_{}", i + 1));
            match &p.data_type {
                Some(t) => {
                    let field = wire::column_field(&StructField::new(name, t.clone(), true));
                    let asked = parameter_type(field.data_type());
                    field.with_data_type(asked)
                }
                // Anything: text is what every client can send, and what Spark casts by itself.
                None => Field::new(name, ArrowType::Utf8, true),
            }
        };
        Arc::new(Schema::new(self.known.parameters.iter().enumerate().map(field).collect::<Fields>()))
    }
}

/// The JDBC driver writes milliseconds into timestamps of whatever unit, those in arrays included: so milliseconds are what is asked for.
/// Others send the unit they have.
fn parameter_type(t: &ArrowType) -> ArrowType {
    let within = |f: &FieldRef| Arc::new(f.as_ref().clone().with_data_type(parameter_type(f.data_type())));
    match t {
        ArrowType::Timestamp(_, zone) => ArrowType::Timestamp(TimeUnit::Millisecond, zone.clone()),
        ArrowType::List(f) => ArrowType::List(within(f)),
        other => other.clone(),
    }
}

impl Service {
    pub(super) async fn prepare(
        &self,
        call: &Call,
        request: ActionCreatePreparedStatementRequest,
    ) -> Answered<ActionCreatePreparedStatementResult> {
        no_transaction(request.transaction_id.as_deref())?;
        if call.prepared.lock().len() >= MOST {
            let what = format!("the session has {MOST} prepared statements, and may have no more");
            return Err(to_status(&Error::new("_SERVER_BUSY").with("what", what)));
        }
        let engine = call.engine.clone();
        let text: Arc<str> = request.query.into();
        let known = blocking({
            let text = text.clone();
            move || engine.prepare(&text)
        });
        let known = known.await?;
        let statement = Arc::new(PreparedStatement { text, known, bound: Mutex::default() });
        let handle = vonk_rpc::random_hex(16).map_err(|e| to_status(&e))?;
        let bytes = |schema: &SchemaRef| match schema.fields().is_empty() {
            true => Ok(Bytes::new()),
            false => schema_bytes(schema),
        };
        let result = ActionCreatePreparedStatementResult {
            prepared_statement_handle: handle.clone().into(),
            dataset_schema: bytes(&statement.columns())?,
            parameter_schema: bytes(&statement.parameters())?,
        };
        call.prepared.lock().insert(handle, statement);
        Ok(result)
    }

    pub(super) fn close_prepared(&self, call: &Call, handle: &[u8]) -> Answered<()> {
        let handle = std::str::from_utf8(handle).map_err(|_| unknown("prepared statement"))?;
        let closed = call.prepared.lock().remove(handle);
        closed.map(drop).ok_or_else(|| unknown("prepared statement"))
    }

    fn prepared(&self, session: &ClientSession, handle: &[u8]) -> Answered<Arc<PreparedStatement>> {
        let handle = std::str::from_utf8(handle).map_err(|_| unknown("prepared statement"))?;
        session.prepared.lock().get(handle).cloned().ok_or_else(|| unknown("prepared statement"))
    }

    pub(super) fn prepared_schema(&self, call: &Call, handle: &[u8]) -> Answered<SchemaRef> {
        Ok(self.prepared(call, handle)?.columns())
    }

    /// GetFlightInfo of a prepared statement, with the values that were bound last.
    pub(super) async fn query_prepared(
        &self,
        call: &Call,
        descriptor: FlightDescriptor,
        handle: &[u8],
    ) -> Answered<FlightInfo> {
        let statement = self.prepared(call, handle)?;
        let runs: VecDeque<Parameters> = statement.bound.lock().clone().into();
        let executed = self.execute(call, statement.text.clone(), runs).await?;
        self.announce(call, descriptor, executed)
    }

    /// DoPut of values for a query.
    pub(super) async fn bind(
        &self,
        call: &Call,
        handle: &[u8],
        data: BoxStream<'static, Answered<FlightData>>,
    ) -> Answered<()> {
        let statement = self.prepared(call, handle)?;
        let values = self.values(&statement, data).await?;
        *statement.bound.lock() = values.unwrap_or_default();
        Ok(())
    }

    /// DoPut of an update, with values or with those that were bound before.
    pub(super) async fn update_prepared(
        &self,
        call: &Call,
        handle: &[u8],
        data: BoxStream<'static, Answered<FlightData>>,
    ) -> Answered<i64> {
        let statement = self.prepared(call, handle)?;
        let values = match self.values(&statement, data).await? {
            // A batch without rows asks for no execution.
            Some(values) if values.is_empty() && !statement.known.parameters.is_empty() => return Ok(0),
            Some(values) => values,
            None => statement.bound.lock().clone(),
        };
        self.update(call, statement.text.clone(), values.into()).await
    }

    /// The values in a stream; `None` if there is no batch in it.
    async fn values(
        &self,
        statement: &PreparedStatement,
        data: BoxStream<'static, Answered<FlightData>>,
    ) -> Answered<Option<Vec<Parameters>>> {
        let mut batches = batches(data);
        let mut all: Option<Vec<Parameters>> = None;
        while let Some(batch) = batches.next().await {
            let batch = batch.map_err(unreadable)?;
            let values = all.get_or_insert_default();
            values.extend(parameters::of_batch(&batch, &statement.known).map_err(|e| to_status(&e))?);
            if values.len() > MOST_ROWS {
                let what = format!("more than {MOST_ROWS} rows of parameters; load them with bulk ingest");
                return Err(to_status(&Error::new("_SERVER_BUSY").with("what", what)));
            }
        }
        Ok(all)
    }
}

/// The batches in a stream that begins with a command.
pub(super) fn batches(data: BoxStream<'static, Answered<FlightData>>) -> FlightRecordBatchStream {
    // A first message may be the command alone.
    let data = data.filter(|message| {
        let empty = message.as_ref().is_ok_and(|m| m.data_header.is_empty());
        std::future::ready(!empty)
    });
    FlightRecordBatchStream::new_from_flight_data(data.map(|m| m.map_err(FlightError::from)))
}

/// What a client sends that is no batch.
pub(super) fn unreadable(e: FlightError) -> tonic::Status {
    match e {
        FlightError::Tonic(status) => *status,
        other => garbage(other),
    }
}
