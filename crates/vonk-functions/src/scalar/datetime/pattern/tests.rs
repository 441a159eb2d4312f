//! Every value here is an answer of Spark.

use super::{Moment, Pattern, Purpose};
use vonk_types::context::SessionZone;
use vonk_types::datetime::{Zone, format_timestamp, parse_timestamp};

fn la() -> SessionZone {
    SessionZone::parse("America/Los_Angeles").unwrap()
}

fn format(text: &str, zone: &str, pattern: &str) -> String {
    let zone = SessionZone::parse(zone).unwrap();
    let micros = parse_timestamp(text, &zone).unwrap();
    match Pattern::new(pattern, Purpose::Format) {
        Err(e) => e.condition().to_string(),
        Ok(p) => {
            let mut out = String::new();
            assert!(p.format(&Moment::new(micros, &zone, &Zone::of(&zone)), &mut out));
            out
        }
    }
}

#[test]
fn writes() {
    let cases = [
        ("GGG|GGGG|y|yy|yyy|yyyy|yyyyy", "AD|Anno Domini|2024|24|2024|2024|02024"),
        ("M|MM|MMM|MMMM|L|LLL|d|dd", "2|02|Feb|February|2|Feb|9|09"),
        ("D|DD|DDD|Q|QQ|QQQ|QQQQ|q|qqqq", "40|40|040|1|01|Q1|1st quarter|1|1st quarter"),
        ("E|EEEE|F|a|g", "Fri|Friday|2|PM|60349"),
        ("H|HH|h|hh|K|KK|k|kk|m|mm|s|ss", "15|15|3|03|3|03|15|15|4|04|5|05"),
        ("S|SSS|SSSSSS|SSSSSSSSS", "0|067|067809|067809000"),
        ("VV|z|zzzz|O|OOOO", "America/Los_Angeles|PST|Pacific Standard Time|GMT-8|GMT-08:00"),
        ("X|XX|XXX|XXXX|XXXXX", "-08|-0800|-08:00|-0800|-08:00"),
        ("x|xx|xxx|Z|ZZ|ZZZ|ZZZZ|ZZZZZ", "-08|-0800|-08:00|-0800|-0800|-0800|GMT-08:00|-08:00"),
        ("'abc'yyyy'T'HH''mm", "abc2024T15'04"),
        ("[yyyy][-MM", "2024-02"),
        ("y年M", "2024年2"),
        ("GGGGG", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"),
        ("yyyyyyy", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"),
        ("YYYY", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"),
        ("ddd", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"),
        ("]", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"),
        ("SSSSSSSSSS", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"),
        ("e", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN"),
        ("A", "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER"),
        ("QQQQQ", "INVALID_DATETIME_PATTERN.LENGTH"),
        ("V", "INVALID_DATETIME_PATTERN.WITH_SUGGESTION"),
        ("XXXXXX", "INVALID_DATETIME_PATTERN.WITH_SUGGESTION"),
        ("'", "INVALID_DATETIME_PATTERN.WITH_SUGGESTION"),
        ("b", "INVALID_DATETIME_PATTERN.WITH_SUGGESTION"),
    ];
    for (pattern, expected) in cases {
        assert_eq!(
            format("2024-02-09 15:04:05.067809", "America/Los_Angeles", pattern),
            expected,
            "{pattern}"
        );
    }
}

#[test]
fn writes_other_zones_and_years() {
    let zones = "VV|z|O|OOOO|X|XXX|x|xxx|Z|ZZZZ|ZZZZZ";
    let at = "2024-02-09 15:04:05";
    assert_eq!(
        format(at, "Asia/Kolkata", zones),
        "Asia/Kolkata|IST|GMT+5:30|GMT+05:30|+0530|+05:30|+0530|+05:30|+0530|GMT+05:30|+05:30"
    );
    assert_eq!(format(at, "UTC", zones), "UTC|UTC|GMT|GMT|Z|Z|+00|+00:00|+0000|GMT|Z");
    assert_eq!(format(at, "+01:30", "VV|z|O"), "+01:30|+01:30|GMT+1:30");
    let years = "y|yyyy|yy|G|GGGG|yyyyy";
    assert_eq!(format("-0044-03-15", "UTC", years), "45|0045|45|BC|Before Christ|00045");
    assert_eq!(format("+12345-03-15", "UTC", years), "12345|+12345|45|AD|Anno Domini|12345");
    assert_eq!(format("0007-03-15", "UTC", "y|yyyy|yy|yyy"), "7|0007|07|007");
    assert_eq!(format("2024-01-01 00:04:05", "UTC", "h|hh|H|k|K|KK|a"), "12|12|0|24|0|00|AM");
    assert_eq!(format("2024-02-15", "UTC", "F"), "1");
}

fn parse(text: &str, pattern: &str) -> String {
    let zone = la();
    match Pattern::new(pattern, Purpose::Parse) {
        Err(e) => e.condition().to_string(),
        Ok(p) => match p.parse(text).and_then(|r| r.instant(&Zone::of(&zone))) {
            Ok(micros) => format_timestamp(micros, &zone),
            Err(message) => message.replace(&format!("Text '{text}' could not be parsed"), "!"),
        },
    }
}

#[test]
fn reads() {
    let cases = [
        ("2024-02-09 15:04:05", "yyyy-MM-dd HH:mm:ss", "2024-02-09 15:04:05"),
        ("24-2-9", "yy-M-d", "2024-02-09 00:00:00"),
        ("2024-2-9", "yyyy-MM-dd", "! at index 5"),
        ("02024-02-09", "yyyy-MM-dd", "! at index 0"),
        ("+12024-02-09", "yyyy-MM-dd", "+12024-02-09 00:00:00"),
        ("20240209150405", "yyyyMMddHHmmss", "2024-02-09 15:04:05"),
        ("2024029", "yyyyMMd", "! at index 0"),
        ("20240209 7", "yyyyMMdd H", "2024-02-09 07:00:00"),
        ("20240209150405123", "yyyyMMddHHmmssSSS", "! at index 0"),
        ("2024-02-09 15:04:05.1", "yyyy-MM-dd HH:mm:ss.SSS", "2024-02-09 15:04:05.1"),
        ("2024-02-09 15:04:05.1234", "yyyy-MM-dd HH:mm:ss.SSS", "!, unparsed text found at index 23"),
        ("2024-02-09 15:04:05.123456789", "yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "2024-02-09 15:04:05.123456"),
        ("2024-02-09 15:04:05.", "yyyy-MM-dd HH:mm:ss.SSS", "! at index 20"),
        ("2024-02-09 15:04:05", "yyyy-MM-dd HH:mm:ss[.SSS]", "2024-02-09 15:04:05"),
        ("9 february 2024", "d MMMM yyyy", "2024-02-09 00:00:00"),
        ("09 February 2024", "dd MMM yyyy", "! at index 6"),
        ("Feb", "MMM", "1970-02-01 00:00:00"),
        ("2024 Q1", "yyyy QQQ", "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER"),
        ("Fri", "EEE", "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"),
        ("2024-02-09 12:04 am", "yyyy-MM-dd hh:mm a", "2024-02-09 00:04:00"),
        (
            "2024-02-09 13:04 AM",
            "yyyy-MM-dd hh:mm a",
            "!: Invalid value for ClockHourOfAmPm (valid values 1 - 12): 13",
        ),
        ("2024-02-09 12", "yyyy-MM-dd hh", "2024-02-09 00:00:00"),
        ("2024-02-09 PM", "yyyy-MM-dd a", "2024-02-09 12:00:00"),
        ("2024-02-09 24", "yyyy-MM-dd kk", "2024-02-09 00:00:00"),
        ("2024-02-09 11 PM", "yyyy-MM-dd K a", "2024-02-09 23:00:00"),
        ("2024-02-09 24:00", "yyyy-MM-dd HH:mm", "!: Invalid value for HourOfDay (valid values 0 - 23): 24"),
        (
            "2024-02-09 23:60",
            "yyyy-MM-dd HH:mm",
            "!: Invalid value for MinuteOfHour (valid values 0 - 59): 60",
        ),
        ("2023-02-29", "yyyy-MM-dd", "!: Invalid date 'February 29' as '2023' is not a leap year"),
        ("2023-04-31", "yyyy-MM-dd", "!: Invalid date 'APRIL 31'"),
        ("2023-04-00", "yyyy-MM-dd", "!: Invalid value for DayOfMonth (valid values 1 - 28/31): 0"),
        ("2023-366", "yyyy-DDD", "!: Invalid date 'DayOfYear 366' as '2023' is not a leap year"),
        ("2024-040", "yyyy-DD", "2024-02-09 00:00:00"),
        ("2024-1", "yyyy-DDD", "! at index 5"),
        ("31/02", "dd/MM", "Invalid date 'FEBRUARY 31'"),
        ("29/02", "dd/MM", "Invalid date 'February 29' as '1970' is not a leap year"),
        ("30", "mm", "1970-01-01 00:30:00"),
        ("2024-02-09T10:00Z", "yyyy-MM-dd'T'HH:mmX", "2024-02-09 02:00:00"),
        ("2024-02-09T10:00+0230", "yyyy-MM-dd'T'HH:mmX", "2024-02-08 23:30:00"),
        ("2024-02-09T10:00+0230", "yyyy-MM-dd'T'HH:mmXXX", "! at index 16"),
        ("2024-02-09T10:00+02:30:15", "yyyy-MM-dd'T'HH:mmXXXXX", "2024-02-08 23:29:45"),
        ("2024-02-09T10:00Z", "yyyy-MM-dd'T'HH:mmZ", "! at index 16"),
        ("2024-02-09T10:00GMT+8", "yyyy-MM-dd'T'HH:mmO", "2024-02-08 18:00:00"),
        ("2024-02-09T10:00GMT+08:00", "yyyy-MM-dd'T'HH:mmOOOO", "2024-02-08 18:00:00"),
        ("2024-02-09T10:00 Europe/Paris", "yyyy-MM-dd'T'HH:mm VV", "2024-02-09 01:00:00"),
        ("2024-02-09T10:00 Europe/Nowhere", "yyyy-MM-dd'T'HH:mm VV", "! at index 17"),
        ("2024-02-09T10:00 +01:00", "yyyy-MM-dd'T'HH:mm VV", "2024-02-09 01:00:00"),
        ("2024-02-09T10:00 PST", "yyyy-MM-dd'T'HH:mm z", "2024-02-09 10:00:00"),
        ("2024-02-09T10:00 CET", "yyyy-MM-dd'T'HH:mm z", "2024-02-09 01:00:00"),
        ("2024-02-09T10:00 Pacific Standard Time", "yyyy-MM-dd'T'HH:mm zzzz", "2024-02-09 10:00:00"),
        ("2024-03-10 02:30", "yyyy-MM-dd HH:mm", "2024-03-10 03:30:00"),
        ("2024 anno domini", "yyyy GGGG", "2024-01-01 00:00:00"),
        ("it's 2024", "'it''s' yyyy", "2024-01-01 00:00:00"),
        ("2024-02-09 ", "yyyy-MM-dd", "!, unparsed text found at index 10"),
        ("", "yyyy", "! at index 0"),
        ("", "", "1970-01-01 00:00:00"),
        ("99-02-09", "yy-MM-dd", "2099-02-09 00:00:00"),
        ("2024-02-09", "yy-MM-dd", "! at index 2"),
        ("+5-02-09", "y-MM-dd", "! at index 0"),
        ("2024-02-09 15.5", "yyyy-MM-dd HH.S", "2024-02-09 15:00:00.5"),
        ("2024-02-09X", "yyyy-MM-dd'x'", "2024-02-09 00:00:00"),
        ("2024-02-xx", "yyyy-MM[-dd]", "!, unparsed text found at index 7"),
        ("2024/02/09", "yyyy-MM-dd", "! at index 4"),
        ("2024-02-09 aa", "yyyy-MM-dd a", "! at index 11"),
        ("3", "D", "1970-01-03 00:00:00"),
        ("60349", "g", "2024-02-09 00:00:00"),
    ];
    for (text, pattern, expected) in cases {
        assert_eq!(parse(text, pattern), expected, "{text} by {pattern}");
    }
    let long = "2024-02-30 12:00:00 and a very very very long text that goes beyond sixty four characters";
    assert_eq!(
        parse(long, "yyyy-MM-dd"),
        "Text '2024-02-30 12:00:00 and a very very very long text that goes bey...' could not be parsed, \
         unparsed text found at index 10"
    );
}
