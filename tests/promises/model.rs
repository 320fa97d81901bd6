//! Random operations compared with a model of the store, one after the other and concurrently.
//!
//! Every result must equal the model's. For operations that ran concurrently, there must be an order in which all results equal
//! the model's. In the end every log must equal the model's log, and every aggregate that was returned must be the fold of its
//! log.

mod case;
pub(crate) mod domain;
pub(crate) mod effort;
mod explain;
mod plan;
mod reference;
mod request;
mod run;

use crate::postgres::TestStore;
use crate::sqlite_file::TemporaryStore;
use domain::{Tally, TallyEvent, tallies};
use eventlogs::stores::fake::FakeEventStore;
use eventlogs::{EventStore, LogManager, MemoryAggregationCache, SqliteEventStore};
use plan::Plan;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};
use std::any::Any;
use tokio::runtime::{Builder, Runtime};

/// Managers of one store.
struct Managers {
    managers: Vec<LogManager<Tally>>,
    /// Owner of the resources that must live as long as the managers.
    _store: Box<dyn Any>,
}

impl Managers {
    /// The second manager caches nothing. The third has a handle of its own, as another process would, if the store supports
    /// that.
    fn of<S: EventStore<TallyEvent> + Clone>(one: S, other: S, store: impl Any) -> Self {
        let manager = |number, store: S| tallies(number, store, MemoryAggregationCache::default());
        Self {
            managers: vec![manager(0, one.clone()), manager(1, one), manager(2, other)],
            _store: Box::new(store),
        }
    }

    fn on_the_fake() -> Self {
        let store = FakeEventStore::new();
        Self::of(store.clone(), store, ())
    }

    async fn on_sqlite() -> Self {
        let file = TemporaryStore::open().await;
        let other = SqliteEventStore::open(file.path()).await.unwrap();
        Self::of(file.store.clone(), other, file)
    }

    async fn on_postgres() -> Option<Self> {
        let store = TestStore::new().await?;
        let other = store.another().await;
        Some(Self::of(store.store.clone(), other, store))
    }
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// Runs plans, and shrinks those that fail.
fn try_out(
    runtime: &Runtime,
    managers: &Managers,
    cases: u32,
    plans: impl Strategy<Value = Vec<Vec<Plan>>>,
) {
    let seed = effort::seed();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: effort::scaled(cases),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        // A race does not show in every run.
        max_shrink_time: 30_000,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&plans, |groups| {
        runtime
            .block_on(case::check(&managers.managers, &groups))
            .map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => panic!("{reason}"),
        Err(TestError::Fail(reason, groups)) => {
            panic!("{reason}\n{}\nthe plans: {groups:#?}", effort::again(seed))
        }
    }
}

#[test]
fn every_answer_is_the_models_on_the_fake() {
    try_out(&runtime(), &Managers::on_the_fake(), 300, plan::alone());
}

#[test]
fn every_answer_is_the_models_on_sqlite() {
    let runtime = runtime();
    let managers = runtime.block_on(Managers::on_sqlite());
    try_out(&runtime, &managers, 100, plan::alone());
}

#[test]
fn every_answer_is_the_models_on_postgres() {
    let runtime = runtime();
    if let Some(managers) = runtime.block_on(Managers::on_postgres()) {
        try_out(&runtime, &managers, 100, plan::alone());
    }
}

#[test]
fn some_order_explains_all_answers_on_the_fake() {
    try_out(&runtime(), &Managers::on_the_fake(), 300, plan::together());
}

#[test]
fn some_order_explains_all_answers_on_sqlite() {
    let runtime = runtime();
    let managers = runtime.block_on(Managers::on_sqlite());
    try_out(&runtime, &managers, 120, plan::together());
}

#[test]
fn some_order_explains_all_answers_on_postgres() {
    let runtime = runtime();
    if let Some(managers) = runtime.block_on(Managers::on_postgres()) {
        try_out(&runtime, &managers, 120, plan::together());
    }
}
