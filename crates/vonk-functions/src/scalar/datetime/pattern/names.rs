//! Names in English, as Java writes them.

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const MONTHS_SHORT: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
pub(super) const DAYS_SHORT: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
pub(super) const ERAS: [&str; 2] = ["Before Christ", "Anno Domini"];
pub(super) const ERAS_SHORT: [&str; 2] = ["BC", "AD"];
pub(super) const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];
pub(super) const QUARTERS_SHORT: [&str; 4] = ["Q1", "Q2", "Q3", "Q4"];
pub(super) const AM_PM: [&str; 2] = ["AM", "PM"];

/// Names of a zone: short and long in winter, short and long in summer.
pub(super) type ZoneNames = (&'static str, &'static str, &'static str, &'static str);

macro_rules! names {
    ($short:literal, $dst:literal, $long:literal) => {
        ($short, concat!($long, " Standard Time"), $dst, concat!($long, " Daylight Time"))
    };
}

const PACIFIC: ZoneNames = names!("PST", "PDT", "Pacific");
const MOUNTAIN: ZoneNames = names!("MST", "MDT", "Mountain");
const CENTRAL: ZoneNames = names!("CST", "CDT", "Central");
const EASTERN: ZoneNames = names!("EST", "EDT", "Eastern");
const CENTRAL_EUROPE: ZoneNames =
    ("CET", "Central European Standard Time", "CEST", "Central European Summer Time");
const EASTERN_EUROPE: ZoneNames =
    ("EET", "Eastern European Standard Time", "EEST", "Eastern European Summer Time");
const WESTERN_EUROPE: ZoneNames =
    ("WET", "Western European Standard Time", "WEST", "Western European Summer Time");

/// Zones with names of their own; others are written by their offset. Sorted by id.
const ZONES: &[(&str, ZoneNames)] = &[
    ("Africa/Cairo", EASTERN_EUROPE),
    ("Africa/Johannesburg", ("SAST", "South Africa Standard Time", "SAST", "South Africa Summer Time")),
    ("Africa/Lagos", ("WAT", "West Africa Standard Time", "WAST", "West Africa Summer Time")),
    ("Africa/Nairobi", ("EAT", "East Africa Time", "EAT", "East Africa Time")),
    ("America/Anchorage", names!("AKST", "AKDT", "Alaska")),
    ("America/Argentina/Buenos_Aires", ("ART", "Argentina Standard Time", "ARST", "Argentina Summer Time")),
    ("America/Chicago", CENTRAL),
    ("America/Denver", MOUNTAIN),
    ("America/Halifax", names!("AST", "ADT", "Atlantic")),
    ("America/Los_Angeles", PACIFIC),
    ("America/New_York", EASTERN),
    ("America/Phoenix", MOUNTAIN),
    ("America/Sao_Paulo", ("BRT", "Brasilia Standard Time", "BRST", "Brasilia Summer Time")),
    ("America/Toronto", EASTERN),
    ("America/Vancouver", PACIFIC),
    ("Asia/Bangkok", ("ICT", "Indochina Time", "ICT", "Indochina Time")),
    ("Asia/Dubai", ("GST", "Gulf Standard Time", "GST", "Gulf Daylight Time")),
    ("Asia/Hong_Kong", ("HKT", "Hong Kong Standard Time", "HKST", "Hong Kong Summer Time")),
    ("Asia/Jakarta", ("WIB", "Western Indonesia Time", "WIB", "Western Indonesia Time")),
    ("Asia/Jerusalem", names!("IST", "IDT", "Israel")),
    ("Asia/Kathmandu", ("NPT", "Nepal Time", "NPT", "Nepal Time")),
    ("Asia/Karachi", ("PKT", "Pakistan Standard Time", "PKST", "Pakistan Summer Time")),
    ("Asia/Kolkata", names!("IST", "IST", "India")),
    ("Asia/Manila", ("PST", "Philippine Standard Time", "PDT", "Philippine Summer Time")),
    ("Asia/Seoul", names!("KST", "KDT", "Korean")),
    ("Asia/Shanghai", names!("CST", "CDT", "China")),
    ("Asia/Singapore", ("SGT", "Singapore Standard Time", "SGT", "Singapore Daylight Time")),
    ("Asia/Taipei", names!("CST", "CDT", "Taipei")),
    ("Asia/Tokyo", names!("JST", "JDT", "Japan")),
    ("Australia/Brisbane", names!("AEST", "AEDT", "Australian Eastern")),
    ("Australia/Melbourne", names!("AEST", "AEDT", "Australian Eastern")),
    ("Australia/Perth", names!("AWST", "AWDT", "Australian Western")),
    ("Australia/Sydney", names!("AEST", "AEDT", "Australian Eastern")),
    ("CET", CENTRAL_EUROPE),
    ("EET", EASTERN_EUROPE),
    ("Europe/Amsterdam", CENTRAL_EUROPE),
    ("Europe/Athens", EASTERN_EUROPE),
    ("Europe/Berlin", CENTRAL_EUROPE),
    ("Europe/Brussels", CENTRAL_EUROPE),
    ("Europe/Bucharest", EASTERN_EUROPE),
    ("Europe/Budapest", CENTRAL_EUROPE),
    ("Europe/Copenhagen", CENTRAL_EUROPE),
    ("Europe/Helsinki", EASTERN_EUROPE),
    ("Europe/Istanbul", ("TRT", "Turkey Time", "TRT", "Turkey Time")),
    ("Europe/Kiev", EASTERN_EUROPE),
    ("Europe/Kyiv", EASTERN_EUROPE),
    ("Europe/Lisbon", WESTERN_EUROPE),
    ("Europe/London", ("GMT", "Greenwich Mean Time", "BST", "British Summer Time")),
    ("Europe/Madrid", CENTRAL_EUROPE),
    ("Europe/Moscow", ("MSK", "Moscow Standard Time", "MSD", "Moscow Summer Time")),
    ("Europe/Oslo", CENTRAL_EUROPE),
    ("Europe/Paris", CENTRAL_EUROPE),
    ("Europe/Prague", CENTRAL_EUROPE),
    ("Europe/Rome", CENTRAL_EUROPE),
    ("Europe/Stockholm", CENTRAL_EUROPE),
    ("Europe/Vienna", CENTRAL_EUROPE),
    ("Europe/Warsaw", CENTRAL_EUROPE),
    ("Europe/Zurich", CENTRAL_EUROPE),
    ("GMT", ("GMT", "Greenwich Mean Time", "GMT", "Greenwich Mean Time")),
    ("Pacific/Auckland", names!("NZST", "NZDT", "New Zealand")),
    ("Pacific/Honolulu", names!("HST", "HDT", "Hawaii-Aleutian")),
    ("US/Central", CENTRAL),
    ("US/Eastern", EASTERN),
    ("US/Mountain", MOUNTAIN),
    ("US/Pacific", PACIFIC),
    ("UTC", UTC),
    ("WET", WESTERN_EUROPE),
    ("Z", UTC),
];

const UTC: ZoneNames = ("UTC", "Coordinated Universal Time", "UTC", "Coordinated Universal Time");

/// Names of a zone.
pub(super) fn zone_names(id: &str) -> Option<&'static ZoneNames> {
    ZONES.iter().find(|(z, _)| *z == id).map(|(_, names)| names)
}

/// The zone that a text begins with the name of, and the length of the name. Names that zones share mean Java's choice.
pub(super) fn zone_of_name(text: &str) -> Option<(&'static str, usize)> {
    const FIRST: [&str; 6] = [
        "America/Los_Angeles",
        "America/Denver",
        "America/Chicago",
        "America/New_York",
        "Europe/Paris",
        "Asia/Kolkata",
    ];
    let mut best: Option<(&'static str, usize)> = None;
    let preferred = FIRST.iter().filter_map(|id| Some((*id, zone_names(id)?)));
    for (id, names) in preferred.chain(ZONES.iter().map(|(id, names)| (*id, names))) {
        for name in [names.0, names.1, names.2, names.3] {
            let fits = text.get(..name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name));
            if fits && best.is_none_or(|(_, n)| name.len() > n) {
                best = Some((id, name.len()));
            }
        }
    }
    best
}
