//! Dates and timestamps plus and minus intervals, days and each other.

use super::{Misfit, Op, overflow};
use crate::kernel::{Datum, KernelCall};
use crate::resolve::{CallSite, Resolution};
use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{
    Date32Type, DurationMicrosecondType, Int8Type, Int16Type, Int32Type, IntervalMonthDayNanoType,
    IntervalYearMonthType, TimestampMicrosecondType,
};
use vonk_error::{Error, Result};
use vonk_types::cast::cast_array;
use vonk_types::context::SessionZone;
use vonk_types::datetime::{MICROS_PER_DAY, Zone, add_months, timestamp_add_days, timestamp_add_months};
use vonk_types::{CastMode, DataType, DayTimeField};

/// What timestamp parameters take, as Spark's messages say it.
const ANY_TIMESTAMP: &str = "(\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\" or \"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])\")";
/// What days may be, as Spark's messages say it.
const DAYS: &str = "(\"INT\" or \"SMALLINT\" or \"TINYINT\")";
/// `interval day`.
const DAY: DataType = DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Day);

fn is_timestamp(t: &DataType) -> bool {
    matches!(t, DataType::Timestamp | DataType::TimestampNtz)
}

fn is_interval(t: &DataType) -> bool {
    t.is_ansi_interval() || *t == DataType::CalendarInterval
}

/// Types of `+` and `-` where an operand is a date or a timestamp, or a text that an interval makes one of.
pub(super) fn resolve(site: &CallSite<'_>, op: Op) -> Result<Option<Resolution>> {
    let (left, right) = (site.arg_type(0), site.arg_type(1));
    match (left, right, op) {
        // Spark moves a null by an interval as a timestamp, and cannot give it its type back.
        (DataType::Null, DataType::CalendarInterval, Op::Add | Op::Subtract)
        | (DataType::CalendarInterval, DataType::Null, Op::Add) => {
            return Err(Error::new("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION")
                .with("srcType", "\"TIMESTAMP\"")
                .with("targetType", "\"VOID\"")
                .at(site.span));
        }
        _ => {}
    }
    match op {
        Op::Subtract if left.is_datetime() || right.is_datetime() => subtract(site),
        Op::Add if left.is_datetime() && *right != DataType::Date => shifted(site, 0, 1),
        Op::Add if right.is_datetime() => shifted(site, 1, 0),
        // Anything but a date, a null or an interval of the same family is taken for a timestamp.
        Op::Add | Op::Subtract if to_timestamp(left, right) => shifted(site, 0, 1),
        Op::Add if to_timestamp(right, left) => shifted(site, 1, 0),
        _ => Ok(None),
    }
}

/// Whether `moved` is taken for a timestamp that `by` moves.
fn to_timestamp(moved: &DataType, by: &DataType) -> bool {
    match by {
        DataType::DayTimeInterval(..) => !matches!(moved, DataType::DayTimeInterval(..) | DataType::Null),
        DataType::CalendarInterval => !matches!(moved, DataType::CalendarInterval | DataType::Null),
        _ => false,
    }
}

fn done(site: &CallSite<'_>, moved: usize, (to, by): (DataType, DataType), returns: DataType) -> Resolution {
    let arg_types = if moved == 0 { vec![to, by] } else { vec![by, to] };
    let nullable = site.any_nullable() || !site.ctx.ansi || arg_types.contains(&DataType::Null);
    Resolution { arg_types, return_type: returns, nullable }
}

/// Argument `moved`, a date or timestamp, plus or minus argument `by`, an interval or days.
fn shifted(site: &CallSite<'_>, moved: usize, by: usize) -> Result<Option<Resolution>> {
    use DataType::{Date, DayTimeInterval, String, Timestamp, YearMonthInterval};
    let (to, amount) = (site.arg_type(moved).clone(), site.arg_type(by).clone());
    let same = |t: DataType| Ok(Some(done(site, moved, (t.clone(), amount.clone()), t)));
    match (&to, &amount) {
        (Date, DayTimeInterval(DayTimeField::Day, DayTimeField::Day)) => same(Date),
        (Date, DayTimeInterval(..)) => same(Timestamp),
        (Date, YearMonthInterval(..) | DataType::CalendarInterval) => same(Date),
        (t, a) if is_timestamp(t) && is_interval(a) => same(to.clone()),
        (Date, DataType::Null) => Ok(Some(done(site, moved, (Timestamp, DataType::DAY_TIME), Timestamp))),
        (t, DataType::Null) if is_timestamp(t) => {
            Ok(Some(done(site, moved, (t.clone(), DataType::DAY_TIME), t.clone())))
        }
        (Date, DataType::Byte | DataType::Short | DataType::Int) => same(Date),
        (Date, String) => {
            Err(days_expected(site, moved, by, if site.ctx.ansi { Date } else { DataType::Double }))
        }
        (Date, _) => Err(days_expected(site, moved, by, amount)),
        (String, a) if is_interval(a) => Ok(Some(done(site, moved, (Timestamp, amount), String))),
        (t, a) if is_interval(a) && !is_timestamp(t) => {
            let turned = [site.args[moved].clone(), site.args[by].clone()];
            let turned =
                CallSite { called_as: site.called_as, args: &turned, ctx: site.ctx, span: site.span };
            Err(turned.unexpected_type(0, ANY_TIMESTAMP))
        }
        // A timestamp and something that is no interval: as numbers, which fails.
        _ => Ok(None),
    }
}

/// Spark's error of `date_add` and `date_sub`.
fn days_expected(site: &CallSite<'_>, moved: usize, by: usize, seen: DataType) -> Error {
    let mut turned = [site.args[moved].clone(), site.args[by].clone()];
    turned[1].data_type = seen;
    CallSite { called_as: site.called_as, args: &turned, ctx: site.ctx, span: site.span }
        .unexpected_type(1, DAYS)
}

/// A difference with a date or timestamp in it.
fn subtract(site: &CallSite<'_>) -> Result<Option<Resolution>> {
    use DataType::{Date, Null, String, Timestamp, TimestampNtz};
    let (left, right) = (site.arg_type(0), site.arg_type(1));
    if left.is_datetime() && is_interval(right) {
        return shifted(site, 0, 1);
    }
    if is_timestamp(left) || is_timestamp(right) {
        let one = |i: usize, t: &DataType| match t {
            t if is_timestamp(t) || *t == Date => Ok(t.clone()),
            Null => Ok(Timestamp),
            String if site.ctx.ansi => Ok(Timestamp),
            _ => Err(site.unexpected_type(i, ANY_TIMESTAMP)),
        };
        // A date takes the other's type; of two kinds of timestamps both become those without zone.
        let (l, r) = (one(0, left)?, one(1, right)?);
        let t = match (&l, &r) {
            (Date, t) | (t, Date) => t.clone(),
            (a, b) if a == b => l,
            _ => TimestampNtz,
        };
        return Ok(Some(done(site, 0, (t.clone(), t), DataType::DAY_TIME)));
    }
    match (left, right) {
        (Date, String) if !site.ctx.ansi => Err(days_expected(site, 0, 1, DataType::Double)),
        (Date, Date | String | Null) | (String | Null, Date) => Ok(Some(done(site, 0, (Date, Date), DAY))),
        (_, Date) => Err(site.unexpected_type(0, "\"DATE\"")),
        _ => shifted(site, 0, 1),
    }
}

/// How a call is written, by the types of its arguments after coercion (before it where they do not fit); `None` for the
/// plain form `(a + b)`.
pub(super) fn display(args: &[String], types: &[DataType], op: Op) -> Option<String> {
    let ([l, r], [lt, rt]) = (args, types) else { return None };
    let (to, by, to_type, by_type) = match op {
        Op::Add if lt.is_datetime() && *rt != DataType::Date => (l, r, lt, rt),
        Op::Add if rt.is_datetime() => (r, l, rt, lt),
        Op::Subtract if lt.is_datetime() => (l, r, lt, rt),
        Op::Subtract if rt.is_datetime() => return None,
        Op::Add | Op::Subtract if to_timestamp(lt, rt) => (l, r, lt, rt),
        Op::Add if to_timestamp(rt, lt) => (r, l, rt, lt),
        _ => return None,
    };
    Some(match (to_type, by_type, op) {
        (DataType::Date, DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Day), Op::Add) => {
            format!("date_add({to}, extractansiintervaldays({by}))")
        }
        (DataType::Date, DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Day), _) => {
            format!("date_add({to}, (- extractansiintervaldays({by})))")
        }
        (_, t, _) if is_interval(t) => format!("{to} {} {by}", op.symbol()),
        (DataType::Date, _, Op::Add) => format!("date_add({to}, {by})"),
        (
            DataType::Date,
            DataType::Date | DataType::Null | DataType::Timestamp | DataType::TimestampNtz,
            _,
        ) => {
            return None;
        }
        (DataType::Date, _, _) => format!("date_sub({to}, {by})"),
        _ => return None,
    })
}

/// Computes a sum or difference with a date or timestamp operand.
pub(super) fn compute(call: &KernelCall<'_>, op: Op, misfit: Misfit) -> Result<ArrayRef> {
    let (left, right) = (&call.arg_types[0], &call.arg_types[1]);
    match (left, right) {
        (DataType::Date, DataType::Date) => {
            let (a, b) = (call.values::<Date32Type>(0), call.values::<Date32Type>(1));
            call.each::<DurationMicrosecondType>(|row| {
                Ok(Some((i64::from(a.get(row)) - i64::from(b.get(row))) * MICROS_PER_DAY))
            })
        }
        (l, r) if is_timestamp(l) && is_timestamp(r) => timestamps(call, misfit),
        (l, _) if l.is_datetime() => shift(call, op, misfit, 0, 1),
        _ => shift(call, op, misfit, 1, 0),
    }
}

/// The time between two timestamps as clocks show it.
fn timestamps(call: &KernelCall<'_>, misfit: Misfit) -> Result<ArrayRef> {
    let zone = zone_of(call, &call.arg_types[0]);
    let zone = Zone::of(&zone);
    let (a, b) = (call.values::<TimestampMicrosecondType>(0), call.values::<TimestampMicrosecondType>(1));
    call.each::<DurationMicrosecondType>(|row| {
        let between = zone.utc_to_local(a.get(row)).checked_sub(zone.utc_to_local(b.get(row)));
        checked(between, misfit)
    })
}

/// The zone that a timestamp type is calculated in.
fn zone_of(call: &KernelCall<'_>, t: &DataType) -> SessionZone {
    if *t == DataType::TimestampNtz { SessionZone::utc() } else { call.ctx.time_zone.clone() }
}

/// Time calculations overflow in every mode.
fn checked<T>(value: Option<T>, misfit: Misfit) -> Result<Option<T>> {
    match value {
        None if misfit != Misfit::Null => Err(overflow("overflow", None)),
        value => Ok(value),
    }
}

/// Argument `moved` plus or minus argument `by`.
fn shift(call: &KernelCall<'_>, op: Op, misfit: Misfit, moved: usize, by: usize) -> Result<ArrayRef> {
    if *call.return_type == DataType::String {
        // A text was taken for a timestamp, and becomes a text again.
        let inner = KernelCall { return_type: &DataType::Timestamp, ..*call };
        let array = shift(&inner, op, misfit, moved, by)?;
        return cast_array(&array, &DataType::Timestamp, &DataType::String, CastMode::Ansi, call.ctx);
    }
    if call.args.iter().any(Datum::is_null_scalar) {
        return Ok(call.all_null());
    }
    let minus = op == Op::Subtract;
    match (&call.arg_types[moved], &call.arg_types[by]) {
        (DataType::Date, DataType::Byte) => add_days::<Int8Type>(call, moved, by, minus, misfit),
        (DataType::Date, DataType::Short) => add_days::<Int16Type>(call, moved, by, minus, misfit),
        (DataType::Date, DataType::Int) => add_days::<Int32Type>(call, moved, by, minus, misfit),
        (DataType::Date, DataType::DayTimeInterval(..)) => {
            let (days, amounts) =
                (call.values::<Date32Type>(moved), call.values::<DurationMicrosecondType>(by));
            call.each::<Date32Type>(|row| {
                let by = amounts.get(row) / MICROS_PER_DAY * if minus { -1 } else { 1 };
                checked(i32::try_from(by).ok().and_then(|by| days.get(row).checked_add(by)), misfit)
            })
        }
        (DataType::Date, DataType::YearMonthInterval(..)) => {
            let (days, amounts) =
                (call.values::<Date32Type>(moved), call.values::<IntervalYearMonthType>(by));
            call.each::<Date32Type>(|row| {
                checked(signed(amounts.get(row), minus).and_then(|by| add_months(days.get(row), by)), misfit)
            })
        }
        (DataType::Date, DataType::CalendarInterval) => date_by_calendar(call, moved, by, minus, misfit),
        (_, DataType::YearMonthInterval(..)) => {
            let zone = zone_of(call, &call.arg_types[moved]);
            let amounts = call.values::<IntervalYearMonthType>(by);
            instants(call, moved, misfit, |row, at| {
                timestamp_add_months(at, signed(amounts.get(row), minus)?, &zone)
            })
        }
        (_, DataType::DayTimeInterval(..)) => {
            let zone = zone_of(call, &call.arg_types[moved]);
            let amounts = call.values::<DurationMicrosecondType>(by);
            instants(call, moved, misfit, |row, at| {
                let by = amounts.get(row);
                let by = if minus { by.checked_neg()? } else { by };
                let (days, rest) = (by / MICROS_PER_DAY, by % MICROS_PER_DAY);
                timestamp_add_days(at, i32::try_from(days).ok()?, &zone)?.checked_add(rest)
            })
        }
        (_, DataType::CalendarInterval) => {
            let zone = zone_of(call, &call.arg_types[moved]);
            let amounts = call.values::<IntervalMonthDayNanoType>(by);
            instants(call, moved, misfit, |row, at| {
                let by = amounts.get(row);
                let at = timestamp_add_months(at, signed(by.months, minus)?, &zone)?;
                let at = timestamp_add_days(at, signed(by.days, minus)?, &zone)?;
                let micros = by.nanoseconds / 1000;
                at.checked_add(if minus { -micros } else { micros })
            })
        }
        (to, by) => vonk_error::internal_err!("{to} {} {by}", op.symbol()),
    }
}

fn signed(amount: i32, minus: bool) -> Option<i32> {
    if minus { amount.checked_neg() } else { Some(amount) }
}

fn instants(
    call: &KernelCall<'_>,
    moved: usize,
    misfit: Misfit,
    f: impl Fn(usize, i64) -> Option<i64>,
) -> Result<ArrayRef> {
    let at = call.values::<TimestampMicrosecondType>(moved);
    call.each::<TimestampMicrosecondType>(|row| checked(f(row, at.get(row)), misfit))
}

fn add_days<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    moved: usize,
    by: usize,
    minus: bool,
    misfit: Misfit,
) -> Result<ArrayRef>
where
    T::Native: Into<i32>,
{
    let (days, amounts) = (call.values::<Date32Type>(moved), call.values::<T>(by));
    call.each::<Date32Type>(|row| {
        let (a, b): (i32, i32) = (days.get(row), amounts.get(row).into());
        checked(if minus { a.checked_sub(b) } else { a.checked_add(b) }, misfit)
    })
}

/// A date moved by a legacy interval. One with a time of day is refused, or before ANSI moves the date's midnight.
fn date_by_calendar(
    call: &KernelCall<'_>,
    moved: usize,
    by: usize,
    minus: bool,
    misfit: Misfit,
) -> Result<ArrayRef> {
    let (days, amounts) = (call.values::<Date32Type>(moved), call.values::<IntervalMonthDayNanoType>(by));
    let zone = call.ctx.time_zone.clone();
    call.each::<Date32Type>(|row| {
        let by = amounts.get(row);
        let (months, plus_days) = (signed(by.months, minus), signed(by.days, minus));
        let micros = by.nanoseconds / 1000;
        if micros == 0 {
            let day = months.and_then(|m| add_months(days.get(row), m));
            return checked(day.zip(plus_days).and_then(|(d, by)| d.checked_add(by)), misfit);
        }
        match misfit {
            Misfit::Fail => Err(Error::new("INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION")),
            Misfit::Null => Ok(None),
            Misfit::Wrap => {
                let ready = Zone::of(&zone);
                let at = ready.start_of_day(days.get(row));
                let at = months.and_then(|m| timestamp_add_months(at, m, &zone));
                let at = at.zip(plus_days).and_then(|(at, d)| timestamp_add_days(at, d, &zone));
                let at = at.and_then(|at| at.checked_add(if minus { -micros } else { micros }));
                checked(at.map(|at| ready.day_of(at)), misfit)
            }
        }
    })
}
