//! Money that moves between accounts while processes are killed, answers get lost and servers end.
//!
//! Accounts are in couples. An account may be overdrawn as long as its couple is not: so each transfer is written to two logs
//! and looks at a third one. Clients ask again with the same key until they have an answer. In the end, all money must be there,
//! no couple may be overdrawn, and each transfer must have happened as its client was told.

mod accounts;
mod audit;
mod clients;
mod faults;
mod processes;

use crate::model::effort;
use accounts::{Bank, accounts};
use audit::check;
use clients::{CLIENTS, soak};
use eventlogs::stores::fake::FakeEventStore;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn money_is_neither_lost_nor_made_on_the_fake() {
    let store = FakeEventStore::new();
    let managers = [accounts(store.clone()), accounts(store)];
    let bank = Bank::opened(&managers[0], "fake").await;
    let transfers = u64::from(effort::scaled(100));
    let told = soak(&managers, &bank, 0..CLIENTS, move |nth| nth < transfers).await;
    assert_eq!(told.len() as u64, CLIENTS * transfers);
    check(&managers[0], &bank, &told).await;
}
