//! What every event of a measurement has in common, and how shares and rates are told.

use std::time::Duration;

use wirebeat_model::{Entries, Event, EventId, Field, Kind, Pool, Time, ecs, fields};

fields! {
    pub FIELDS:
    METRICSET_NAME = Field::new("metricset.name", Kind::Keyword, "What was measured: cpu, memory, process …");
    METRICSET_PERIOD = Field::new("metricset.period", Kind::Long, "How often it is measured, in milliseconds.");
    COUNT = Field::new("count", Kind::Long, "Always 1, as Topbeat wrote it (`wirebeat.fields_1x`).");
}

/// A kind of measurement.
#[derive(Debug)]
pub(crate) struct Metricset {
    /// `event.module`: system or docker.
    pub module: &'static str,
    /// `metricset.name`.
    pub name: &'static str,
    /// `event.dataset`.
    pub dataset: &'static str,
    /// `type`, Topbeat's where it had one.
    pub kind: &'static str,
}

/// What events tell beside what was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Envelope {
    /// `host.name`.
    pub host: String,
    /// `metricset.period`.
    pub period: Duration,
    /// `tags`.
    pub tags: Vec<String>,
    /// Whether names of Topbeat 1.x are added where they are no alias.
    pub fields_1x: bool,
    /// The sensor's number, for ids.
    pub source: u64,
}

/// Writes the events of one period.
pub(crate) struct Writer<'a> {
    pub(crate) envelope: &'a Envelope,
    pub(crate) pool: &'a mut Pool,
    pub(crate) events: &'a mut Vec<Event>,
    /// When the measurement was made.
    pub(crate) at: Time,
    /// Events since the sensor began.
    pub(crate) number: &'a mut u32,
}

impl Writer<'_> {
    /// One more event.
    pub(crate) fn event(&mut self, set: &Metricset, fill: impl FnOnce(&mut Entries)) {
        let mut event = self.pool.take();
        event.stamp = self.at;
        event.id = EventId::of_measurement(self.envelope.source, self.at, set.dataset, *self.number);
        *self.number = self.number.wrapping_add(1);
        let fields = &mut event.fields;
        fields.put(&ecs::TIMESTAMP, self.at);
        fields.put(&ecs::TYPE, set.kind);
        fields.put_with(&ecs::EVENT_ID, |out| event.id.write(out));
        fields.put(&ecs::EVENT_KIND, "metric");
        fields.put(&ecs::EVENT_MODULE, set.module);
        fields.put(&ecs::EVENT_DATASET, set.dataset);
        fields.put(&ecs::SERVICE_TYPE, set.module);
        fields.put(&METRICSET_NAME, set.name);
        fields.put(&METRICSET_PERIOD, self.envelope.period.as_millis() as u64);
        fields.put(&ecs::HOST_NAME, self.envelope.host.as_str());
        fields.put_array(&ecs::TAGS, |tags| self.envelope.tags.iter().for_each(|t| tags.push(t.as_str())));
        if self.envelope.fields_1x {
            fields.put(&COUNT, 1u64);
        }
        fill(fields);
        self.events.push(event);
    }

    /// Whether names of Topbeat 1.x are added.
    pub(crate) fn fields_1x(&self) -> bool {
        self.envelope.fields_1x
    }
}

/// To four digits, as Metricbeat rounds.
pub(crate) fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// `part` of `whole`, rounded; `None` of nothing.
pub(crate) fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0 && part.is_finite() && whole.is_finite()).then(|| round(part / whole))
}

/// Puts a share when there is one.
pub(crate) fn put_share(fields: &mut Entries, field: &Field, part: u64, whole: u64) {
    put_some(fields, field, share(part as f64, whole as f64));
}

/// Puts a number when there is one.
pub(crate) fn put_some(fields: &mut Entries, field: &Field, value: Option<f64>) {
    if let Some(value) = value {
        fields.put(field, value);
    }
}

/// Puts a count when there is one.
pub(crate) fn put_count(fields: &mut Entries, field: &Field, value: Option<u64>) {
    if let Some(value) = value {
        fields.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_and_absent_of_nothing() {
        assert_eq!(share(1.0, 3.0), Some(0.3333));
        assert_eq!(share(2.0, 3.0), Some(0.6667));
        assert_eq!(share(1.0, 0.0), None);
        assert_eq!(share(f64::NAN, 1.0), None);
    }
}
