//! Statements: executed when they are asked about, fetched by ticket.

use super::{Answered, Service, apart, blocking, flight_info, packed, streams};
use crate::results::{Part, Query, Repeated, Rows};
use crate::sessions::{Call, ClientSession};
use crate::status::{to_status, unknown};
use crate::wire;
use arrow::datatypes::SchemaRef;
use arrow_flight::sql::TicketStatementQuery;
use arrow_flight::{FlightData, FlightDescriptor, FlightInfo};
use futures::stream::BoxStream;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vonk::{Control, Parameters, StructType};
use vonk_error::{Error, Result};

/// A statement that runs.
pub(super) struct Executed {
    pub query: Arc<Query>,
    pub columns: StructType,
    /// Parts of its rows, to be read at the same time.
    pub parts: Vec<Rows>,
}

impl Service {
    /// Executes a statement, once for each row of parameters.
    pub(super) async fn execute(
        &self,
        session: &Arc<ClientSession>,
        text: Arc<str>,
        mut runs: VecDeque<Parameters>,
    ) -> Answered<Executed> {
        if self.0.stopping.load(Ordering::Acquire) {
            return Err(to_status(&Error::new("_SERVER_STOPPING")));
        }
        let place = self.0.gate.enter().await.map_err(|e| to_status(&e))?;
        // Dropped with this call, if the client goes away, and then the statement stops.
        // A pool for each session: where pools share fairly, nobody waits for the end of what others do.
        let pool = Some(format!("session-{}", session.id).into());
        let control = Control { read_only: self.options().read_only, pool, ..Control::default() };
        let query = Query::begin(&session.id, &session.user, &text, control, Some(place));
        let query = query.map_err(|e| to_status(&e))?;
        let parameters = runs.pop_front().unwrap_or_default();
        let control = Control { parameters, ..query.control.clone() };
        let engine = session.engine.clone();
        let endpoints = self.options().endpoints;
        let executed = apart(move || {
            let answer = engine.execute(&text, &control)?;
            let columns = answer.schema().clone();
            let parts = match runs.is_empty() {
                true => answer.into_parts(endpoints).into_iter().map(Rows::Running).collect(),
                false => {
                    let running = answer.into_stream();
                    vec![Rows::Repeated(Box::new(Repeated { running, others: runs, session: engine, text }))]
                }
            };
            Ok((columns, parts))
        });
        match executed.await {
            Ok((columns, parts)) => Ok(Executed { query, columns, parts }),
            Err(e) => {
                query.fail(&e);
                Err(to_status(&e))
            }
        }
    }

    /// Executes a statement whose rows do not matter: the number of rows that it wrote.
    pub(super) async fn update(
        &self,
        session: &Arc<ClientSession>,
        text: Arc<str>,
        runs: VecDeque<Parameters>,
    ) -> Answered<i64> {
        let Executed { query, parts, .. } = self.execute(session, text, runs).await?;
        for mut rows in parts {
            while rows.next(&query.control).await.map_err(|e| to_status(&e))?.is_some() {}
        }
        let written = query.control.rows_written.load(Ordering::Relaxed);
        query.complete();
        Ok(i64::try_from(written).unwrap_or(i64::MAX))
    }

    /// GetFlightInfo of a statement.
    pub(super) async fn query(
        &self,
        call: &Call,
        descriptor: FlightDescriptor,
        text: String,
    ) -> Answered<FlightInfo> {
        let executed = self.execute(call, text.into(), VecDeque::new()).await?;
        self.announce(call, descriptor, executed)
    }

    /// Tells the client of the rows of a statement that runs.
    pub(super) fn announce(
        &self,
        session: &Arc<ClientSession>,
        descriptor: FlightDescriptor,
        executed: Executed,
    ) -> Answered<FlightInfo> {
        let Executed { query, columns, parts } = executed;
        let schema = wire::schema(&columns);
        let id = query.id.clone();
        query.parts(parts.len());
        let mut tickets = Vec::with_capacity(parts.len());
        for rows in parts {
            let ticket = session.results.deposit(Part::new(query.clone(), schema.clone(), rows));
            let handle = ticket.map_err(|e| to_status(&e))?.into();
            tickets.push(packed(&TicketStatementQuery { statement_handle: handle }));
        }
        let info = flight_info(descriptor, &schema, tickets)?;
        Ok(FlightInfo { app_metadata: id.into(), ..info })
    }

    /// DoGet of a ticket.
    pub(super) fn fetch(
        &self,
        session: &Arc<ClientSession>,
        handle: &[u8],
    ) -> Answered<BoxStream<'static, Answered<FlightData>>> {
        let ticket = std::str::from_utf8(handle).map_err(|_| unknown("result"))?;
        let part = session.results.take(ticket).map_err(|e| to_status(&e))?;
        let compression = (*session.compression.lock()).unwrap_or(self.options().compression);
        streams::of_part(part, session, compression)
    }

    /// The columns of a statement that does not run.
    pub(super) async fn statement_schema(&self, call: &Call, text: String) -> Answered<SchemaRef> {
        let engine = call.engine.clone();
        blocking(move || -> Result<SchemaRef> { Ok(wire::schema(&engine.prepare(&text)?.schema)) }).await
    }
}
