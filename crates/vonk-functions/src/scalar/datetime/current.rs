//! The current moment: the one at which the query started.

use super::docs;
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::{Display, ScalarFunction, Volatility};
use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
use vonk_error::Result;
use vonk_types::DataType;
use vonk_types::datetime::Zone;

const DATE: Docs = docs(
    "current_date()",
    "The date at which the query started, in the session's zone.",
    "1.5.0",
    &[ex("SELECT current_date() = current_date", "true")],
);
const TIMESTAMP: Docs = docs(
    "current_timestamp()",
    "The time at which the query started.",
    "1.5.0",
    &[ex("SELECT current_timestamp() = current_timestamp", "true")],
);
const LOCAL: Docs = docs(
    "localtimestamp()",
    "The time at which the query started, as the clocks of the session's zone show it.",
    "3.4.0",
    &[ex("SELECT typeof(localtimestamp())", "timestamp_ntz")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let row = |name, docs, resolve, kernel| ScalarFunction {
        volatility: Volatility::Stable,
        can_fail: false,
        ..ScalarFunction::new(name, docs, Arity::exactly(0), resolve, kernel)
    };
    vec![
        ScalarFunction {
            aliases: &["curdate"],
            display: Display::Custom(|_, _| "current_date()".into()),
            ..row("current_date", DATE, |s| moment(s, DataType::Date), date)
        },
        ScalarFunction {
            aliases: &["now"],
            ..row("current_timestamp", TIMESTAMP, |s| moment(s, DataType::Timestamp), timestamp)
        },
        row("localtimestamp", LOCAL, |s| moment(s, DataType::TimestampNtz), local),
    ]
}

fn moment(site: &CallSite<'_>, t: DataType) -> Result<Resolution> {
    site.returns_value(vec![], t)
}

fn date(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let today = Zone::of(&call.ctx.time_zone).day_of(call.ctx.query_start_micros);
    call.every::<Date32Type>(|_| today)
}

fn timestamp(call: &KernelCall<'_>) -> Result<ArrayRef> {
    call.every::<TimestampMicrosecondType>(|_| call.ctx.query_start_micros)
}

fn local(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let local = Zone::of(&call.ctx.time_zone).utc_to_local(call.ctx.query_start_micros);
    call.every::<TimestampMicrosecondType>(|_| local)
}
