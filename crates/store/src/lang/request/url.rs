//! The parameters of a search's URL.

use serde_json::Value;

use super::{FieldAsk, SearchRequest, SourceFilter, TrackTotal, duration, positive, sort};
use crate::lang::ast::Operator;
use crate::lang::error::EsError;
use crate::lang::json::boolean;
use crate::lang::lucene;

impl SearchRequest {
    /// Applies the parameters of a URL (names and values, decoded): they win over the body. Answers the names of those
    /// that are not the search's.
    ///
    /// # Errors
    /// When a value is none.
    pub fn apply_url<'p>(&mut self, parameters: &[(&'p str, &str)]) -> Result<Vec<&'p str>, EsError> {
        let mut others = Vec::new();
        let mut text = None;
        let mut options = lucene::Options::default();
        for (name, value) in parameters {
            let json = Value::String((*value).to_owned());
            let list = || value.split(',').filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>();
            // A parameter without a value is switched on.
            let flag = || if value.is_empty() { Ok(true) } else { boolean("search", name, &json) };
            match *name {
                "q" => text = Some(*value),
                "df" => options.fields = vec![(*value).to_owned()],
                "default_operator" => {
                    options.operator =
                        if value.eq_ignore_ascii_case("and") { Operator::And } else { Operator::Or };
                }
                "lenient" => options.lenient = flag()?,
                "analyzer" | "analyze_wildcard" => {}
                "from" => self.from = positive(name, &json)?,
                "size" => self.size = positive(name, &json)?,
                "sort" => {
                    let keys: Vec<Value> = list()
                        .iter()
                        .map(|one| match one.rsplit_once(':') {
                            Some((field, order)) => serde_json::json!({field: order}),
                            None => Value::String(one.clone()),
                        })
                        .collect();
                    self.sort = sort::parse(&Value::Array(keys))?;
                }
                "_source" => {
                    self.source = Some(match *value {
                        "true" | "" => SourceFilter::parse(&Value::Bool(true))?,
                        "false" => SourceFilter::parse(&Value::Bool(false))?,
                        _ => SourceFilter { fetch: true, includes: list(), excludes: Vec::new() },
                    });
                }
                "_source_includes" | "_source_include" => self.source_mut().includes = list(),
                "_source_excludes" | "_source_exclude" => self.source_mut().excludes = list(),
                "stored_fields" => self.stored_fields = Some(list()),
                "docvalue_fields" => {
                    self.docvalue_fields =
                        list().into_iter().map(|pattern| FieldAsk { pattern, format: None }).collect();
                }
                "track_total_hits" => self.track_total = TrackTotal::parse(&json)?,
                "track_scores" => self.track_scores = flag()?,
                "version" => self.version = flag()?,
                "seq_no_primary_term" => self.seq_no = flag()?,
                "explain" | "profile" => {
                    if flag()? {
                        return Err(EsError::unsupported(&format!("[{name}]")));
                    }
                }
                "timeout" => self.timeout = duration(name, value)?,
                "terminate_after" => {
                    self.terminate_after = Some(positive(name, &json)?).filter(|n| *n > 0);
                }
                "typed_keys" => self.typed_keys = flag()?,
                "rest_total_hits_as_int" => self.total_as_int = flag()?,
                other => others.push(other),
            }
        }
        if let Some(text) = text {
            self.query = lucene::parse(text, &options)?;
        }
        if self.total_as_int {
            match self.track_total {
                // The default is then exact.
                TrackTotal::UpTo(super::DEFAULT_TOTAL) => self.track_total = TrackTotal::All,
                TrackTotal::UpTo(n) => {
                    return Err(EsError::illegal(format!(
                        "[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, \
                         got {n}"
                    )));
                }
                _ => {}
            }
        }
        self.check()?;
        Ok(others)
    }

    fn source_mut(&mut self) -> &mut SourceFilter {
        self.source.get_or_insert(SourceFilter { fetch: true, includes: Vec::new(), excludes: Vec::new() })
    }
}
