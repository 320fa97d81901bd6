//! A recorder that keeps all values.

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// All recorded values, in the order of recording.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured(Arc<Mutex<Vec<Recorded>>>);

/// A recorded value.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) labels: BTreeMap<String, String>,
    value: f64,
}

/// One metric.
struct Metric {
    name: String,
    kind: &'static str,
    labels: BTreeMap<String, String>,
    measured: Measured,
}

impl Measured {
    fn metric(&self, key: &Key, kind: &'static str) -> Arc<Metric> {
        let labels = key.labels();
        let labels = labels.map(|label| (label.key().to_owned(), label.value().to_owned()));
        Arc::new(Metric {
            name: key.name().to_owned(),
            kind,
            labels: labels.collect(),
            measured: self.clone(),
        })
    }

    /// Returns all values.
    pub(super) fn all(&self) -> Vec<Recorded> {
        self.0.lock().unwrap().clone()
    }

    /// Returns the values of a metric, whatever its labels.
    pub(super) fn of(&self, name: &str) -> Vec<f64> {
        self.with(name, &[])
    }

    /// Returns the values of a metric with these labels among its own.
    pub(super) fn with(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let recorded = self.0.lock().unwrap();
        let has = |recorded: &&Recorded| {
            let has = |(key, value): &(&str, &str)| {
                recorded.labels.get(*key).is_some_and(|own| own == value)
            };
            recorded.name == name && labels.iter().all(has)
        };
        recorded
            .iter()
            .filter(has)
            .map(|found| found.value)
            .collect()
    }

    /// Returns the sum of all values of a counter.
    pub(super) fn sum(&self, name: &str) -> String {
        self.of(name).iter().sum::<f64>().to_string()
    }
}

impl Metric {
    fn note(&self, value: f64) {
        self.measured.0.lock().unwrap().push(Recorded {
            name: self.name.clone(),
            kind: self.kind,
            labels: self.labels.clone(),
            value,
        });
    }
}

impl HistogramFn for Metric {
    fn record(&self, value: f64) {
        self.note(value);
    }
}

impl CounterFn for Metric {
    fn increment(&self, value: u64) {
        self.note(f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, value: u64) {
        panic!("a counter was set to an absolute value: {value}");
    }
}

impl GaugeFn for Metric {
    fn increment(&self, value: f64) {
        panic!("a gauge was incremented: {value}");
    }

    fn decrement(&self, value: f64) {
        panic!("a gauge was decremented: {value}");
    }

    fn set(&self, value: f64) {
        self.note(value);
    }
}

impl Recorder for Measured {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metric(key, "counter"))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metric(key, "gauge"))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key, "histogram"))
    }
}
