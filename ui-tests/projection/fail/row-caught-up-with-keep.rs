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
#[projection(name = "open", events(PaymentEvent), database = postgres, table = "open", keep = OpenPayment::is_open)]
pub struct OpenPayment {
    #[key]
    id: LogId,
    captured: u64,
    #[through]
    through: Option<u64>,
}

impl OpenPayment {
    fn is_open(&self) -> bool {
        self.captured == 0
    }
}

#[event_handler(PaymentEvent)]
impl OpenPayment {
    #[on(Captured)]
    fn capture(&mut self, amount: u64) {
        self.captured += amount;
    }
}

pub async fn look(store: PostgresEventStore, transaction: &mut Transaction<'_, Postgres>) {
    let rows = Rows::<OpenPayment>::new();
    let _ = store.catch_up_in(transaction, &rows, LogId::new()).await;
}

fn main() {}
