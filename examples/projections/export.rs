//! The lowest level: a reader of the feed that keeps its cursor itself.
//!
//! It writes one line of JSON per event. The cursor goes into the same file, behind the events that it covers. What follows the
//! last cursor was not written completely, so it is removed, and the feed continues there.

use crate::shop::{OrderEvent, PaymentEvent, Shop};
use eventlogs::feed::OneOf2;
use eventlogs::{Cursor, EventFeed};
use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Begins a line with a cursor.
const CURSOR: &str = "# cursor ";

/// Exports, writes, and exports again.
pub(crate) async fn twice(
    store: &impl EventFeed,
    shop: &Shop,
    file: &Path,
) -> Result<(), Box<dyn Error>> {
    println!("\n7. Read the feed without a projection, and keep the cursor with what is written");
    println!("   exported {} events", export(store, file, 0).await?);
    shop.place("Grace", "USD", 1_500).await?;
    println!(
        "   after one more event, exported {}",
        export(store, file, 1).await?
    );
    Ok(())
}

/// Appends the events to a file that it does not have yet, and waits for at least this many. Returns their number.
async fn export(
    store: &impl EventFeed,
    file: &Path,
    at_least: usize,
) -> Result<usize, Box<dyn Error>> {
    let (mut file, cursor) = open(file)?;
    let mut exported = 0;
    let mut feed = store.feed(cursor).events::<(OrderEvent, PaymentEvent)>();
    loop {
        let Some(page) = feed.next_page().await? else {
            if exported >= at_least {
                break;
            }
            feed.wait().await?;
            continue;
        };
        let mut lines = String::new();
        for record in &page.records {
            lines += &match record {
                OneOf2::First(order) => serde_json::to_string(order)?,
                OneOf2::Second(payment) => serde_json::to_string(payment)?,
            };
            lines += "\n";
        }
        lines.extend([CURSOR, &page.cursor.to_string(), "\n"]);
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
        for line in fs::read(path)?.split_inclusive(|byte| *byte == b'\n') {
            read += line.len();
            if let Some(text) = line.strip_prefix(CURSOR.as_bytes())
                && let Some(text) = text.strip_suffix(b"\n")
            {
                cursor = str::from_utf8(text)?.parse()?;
                complete = read;
            }
        }
    }
    let file = File::options().create(true).append(true).open(path)?;
    file.set_len(complete as u64)?;
    Ok((file, cursor))
}
