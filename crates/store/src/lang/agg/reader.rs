//! The members of an aggregation's object: each is asked for, what is left is an error.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::lang::ast::Scalar;
use crate::lang::date::{DateFormat, Zone};
use crate::lang::error::EsError;
use crate::lang::json;

/// The members of an aggregation's object.
pub(super) struct Reader<'v> {
    what: &'v str,
    map: &'v Map<String, Value>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'v> Reader<'v> {
    pub(super) fn new(what: &'v str, value: &'v Value) -> Result<Self, EsError> {
        let map = json::object(what, what, value)?;
        Ok(Self { what, map, asked: RefCell::new(Vec::new()) })
    }

    /// A member that is there and not null.
    pub(super) fn get(&self, name: &'static str) -> Option<&'v Value> {
        self.asked.borrow_mut().push(name);
        self.map.get(name).filter(|v| !v.is_null())
    }

    pub(super) fn what(&self) -> &'v str {
        self.what
    }

    /// All members, whatever they are called.
    pub(super) fn all(&self) -> &'v Map<String, Value> {
        self.map
    }

    pub(super) fn field(&self) -> Result<String, EsError> {
        if self.map.contains_key("script") {
            return Err(EsError::unsupported(&format!("[script] of a [{}] aggregation", self.what)));
        }
        match self.text("field")? {
            Some(field) => Ok(field),
            None => {
                Err(EsError::illegal("Required one of fields [field, script], but none were specified. "))
            }
        }
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, EsError> {
        self.get(name).map(|v| json::text(self.what, name, v)).transpose()
    }

    pub(super) fn scalar(&self, name: &'static str) -> Result<Option<Scalar>, EsError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        Scalar::from_json(value).map(Some).ok_or_else(|| {
            EsError::x_content(format!(
                "[{}] {name} doesn't support values of type: {}",
                self.what,
                json::token(value)
            ))
        })
    }

    pub(super) fn integer(&self, name: &'static str) -> Result<Option<i64>, EsError> {
        self.get(name).map(|v| json::integer(self.what, name, v)).transpose()
    }

    pub(super) fn float(&self, name: &'static str) -> Result<Option<f64>, EsError> {
        self.get(name).map(|v| json::float(self.what, name, v)).transpose()
    }

    pub(super) fn flag(&self, name: &'static str, default: bool) -> Result<bool, EsError> {
        self.get(name).map_or(Ok(default), |v| json::boolean(self.what, name, v))
    }

    /// A count that may not be negative.
    pub(super) fn count(&self, name: &'static str, default: usize) -> Result<usize, EsError> {
        match self.integer(name)? {
            None => Ok(default),
            Some(n) => usize::try_from(n).map_err(|_| {
                self.failed(
                    name,
                    EsError::illegal(format!("[{name}] must be greater than or equal to 0. Found [{n}]")),
                )
            }),
        }
    }

    pub(super) fn zone(&self) -> Result<Zone, EsError> {
        match self.get("time_zone") {
            None => Ok(Zone::UTC),
            // Hours, as older clients write it.
            Some(Value::Number(n)) => Zone::parse(&format!("{:+03}:00", n.as_i64().unwrap_or(99))),
            Some(value) => Zone::parse(&json::text(self.what, "time_zone", value)?)
                .map_err(|e| self.failed("time_zone", e)),
        }
    }

    /// A format of dates or numbers; which one is for the field to say.
    pub(super) fn format(&self) -> Result<Option<String>, EsError> {
        self.text("format")
    }

    pub(super) fn date_format(&self) -> Result<Option<DateFormat>, EsError> {
        self.text("format")?.map(|f| DateFormat::parse(&f).map_err(|e| self.failed("format", e))).transpose()
    }

    pub(super) fn failed(&self, name: &str, cause: EsError) -> EsError {
        json::failed(self.what, name, cause)
    }

    /// Refuses members that were not asked for.
    pub(super) fn end(&self) -> Result<(), EsError> {
        let asked = self.asked.borrow();
        for name in self.map.keys() {
            if name == "script" {
                return Err(EsError::unsupported(&format!("[script] of a [{}] aggregation", self.what)));
            }
            if !asked.contains(&name.as_str()) {
                let short: String = name.chars().take(200).collect();
                return Err(EsError::x_content(format!(
                    "[{}] unknown field [{short}]{}",
                    self.what,
                    json::suggestion(&short, &asked)
                )));
            }
        }
        Ok(())
    }
}
