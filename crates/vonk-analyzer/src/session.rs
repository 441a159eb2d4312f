//! What typing needs to know about the session.

use crate::expected::ExpectedTypes;
use vonk_conf::Conf;
use vonk_eval::EvalEnv;
use vonk_functions::Registry;
use vonk_types::EvalContext;

/// Settings and functions, read once per statement.
#[derive(Clone, Copy)]
pub(crate) struct Session<'a> {
    /// Functions and what evaluation knows.
    pub env: &'a EvalEnv,
    /// All settings.
    pub conf: &'a Conf,
    /// `spark.sql.ansi.enabled`.
    pub ansi: bool,
    /// `spark.sql.caseSensitive`.
    pub case_sensitive: bool,
    /// `spark.sql.timestampType` is `TIMESTAMP_NTZ`: what plain `timestamp` means.
    pub timestamp_is_ntz: bool,
    /// Where the types of markers without values are noted.
    pub expected: Option<&'a ExpectedTypes>,
}

impl<'a> Session<'a> {
    /// Reads the settings.
    pub fn new(env: &'a EvalEnv, conf: &'a Conf) -> Self {
        let timestamp_type = conf.text("spark.sql.timestampType");
        Session {
            env,
            conf,
            ansi: env.ctx.ansi,
            case_sensitive: conf.get(&vonk_conf::CASE_SENSITIVE),
            timestamp_is_ntz: timestamp_type.is_some_and(|t| t.trim().eq_ignore_ascii_case("TIMESTAMP_NTZ")),
            expected: None,
        }
    }

    /// The same, noting the types of markers.
    pub fn expecting(self, expected: Option<&'a ExpectedTypes>) -> Self {
        Session { expected, ..self }
    }

    /// What evaluation knows about the session.
    pub fn ctx(&self) -> &'a EvalContext {
        &self.env.ctx
    }

    /// The functions.
    pub fn registry(&self) -> &'a Registry {
        &self.env.registry
    }

    /// Whether two names are the same.
    pub fn same_name(&self, a: &str, b: &str) -> bool {
        if self.case_sensitive {
            a == b
        } else {
            a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
        }
    }

    /// How explicit and implicit casts treat misfits.
    pub fn cast_mode(&self) -> vonk_types::CastMode {
        if self.ansi { vonk_types::CastMode::Ansi } else { vonk_types::CastMode::Legacy }
    }
}
