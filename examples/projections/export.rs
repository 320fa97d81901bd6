//! The lowest level: a reader of the feed that keeps its cursor itself.
//!
//! It writes one line of JSON per event. The cursor goes into the same file, behind the events that it covers. What follows the
//! last cursor was not written completely, so it is removed, and the feed continues there.

use crate::shop::{OrderEvent, PaymentEvent, Shop};
use eventlogs::feed::OneOf2;
use eventlogs::{Cursor, EventFeed, LogState};
use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Begins a line with a cursor.
const CURSOR: &str = "# cursor ";

/// Exports, writes, and exports again. Returns the state after the write.
pub(crate) async fn twice(
    store: &impl EventFeed,
    shop: &Shop,
    file: &Path,
) -> Result<LogState<OrderEvent>, Box<dyn Error>> {
    println!("\n7. Read the feed without a projection, and keep the cursor with what is written");
    println!("   exported {} events", export(store, file).await?);
    let order = shop.place("Grace", "USD", 1_500).await?;
    println!(
        "   after one more event, exported {}",
        export(store, file).await?
    );
    Ok(order)
}

/// Appends the events to a file that it does not have yet. Returns their number.
async fn export(store: &impl EventFeed, file: &Path) -> Result<usize, Box<dyn Error>> {
    let (mut file, cursor) = open(file)?;
    let mut exported = 0;
    let mut feed = store.feed(cursor).events::<(OrderEvent, PaymentEvent)>();
    // `feed.wait()` instead of the end would follow the feed for ever.
    while let Some(page) = feed.next_page().await? {
        let mut lines = String::new();
        for record in &page.records {
            lines += &match record {
                OneOf2::First(order) => serde_json::to_string(order)?,
                OneOf2::Second(payment) => serde_json::to_string(payment)?,
            };
            lines += "\n";
        }
        lines += &format!("{CURSOR}{}\n", page.cursor);
        file.write_all(lines.as_bytes())?;
        exported += page.records.len();
    }
    file.sync_all()?;
    Ok(exported)
}

/// Opens the file and reads the last cursor.
fn open(path: &Path) -> Result<(File, Cursor), Box<dyn Error>> {
    let mut cursor = Cursor::START;
    let mut complete = 0;
    let mut read = 0;
    if path.exists() {
        for line in fs::read_to_string(path)?.split_inclusive('\n') {
            read += line.len();
            if let Some(text) = line.strip_prefix(CURSOR)
                && let Some(text) = text.strip_suffix('\n')
            {
                cursor = text.parse()?;
                complete = read;
            }
        }
    }
    let file = File::options().create(true).append(true).open(path)?;
    file.set_len(complete as u64)?;
    Ok((file, cursor))
}
