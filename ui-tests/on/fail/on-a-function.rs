use eventlogs::on;

#[on(Opened)]
fn open() {}

fn main() {
    open();
}
