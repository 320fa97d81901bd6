use eventlogs::ids::LogId;
use eventlogs::sqlx::{Postgres, Transaction};
use eventlogs::{Event, PostgresEventStore, Projection, Rows, event_handler};
use serde::{Deserialize, Serialize};

#[derive(Event)]
pub enum PaymentEvent {
    #[event(name = "payment.captured")]
    Captured { amount: u64 },
}

#[derive(Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "payments", events(PaymentEvent), database = postgres, table = "payments")]
pub struct PaymentRow {
    #[key]
    id: LogId,
    captured: u64,
}

#[event_handler(PaymentEvent)]
impl PaymentRow {
    #[on(Captured)]
    fn capture(&mut self, amount: u64) {
        self.captured += amount;
    }
}

pub async fn look(store: PostgresEventStore, transaction: &mut Transaction<'_, Postgres>) {
    let rows = Rows::<PaymentRow>::new();
    let _ = store.catch_up_in(transaction, &rows, LogId::new()).await;
}

fn main() {}
