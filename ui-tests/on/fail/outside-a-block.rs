use eventlogs::on;

pub enum DoorEvent {
    Opened { by: String, hours: u32 },
    Closed,
}

#[derive(Default)]
pub struct Door {
    open: bool,
}

impl Door {
    #[on(Opened)]
    fn open(&mut self, #[record] index: u64) {
        self.open = index == 0;
    }
}

fn main() {
    Door::default().open(0);
}
