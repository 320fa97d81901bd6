use eventlogs::event_handler;
use std::net::Shutdown;
use std::sync::atomic::Ordering;

#[derive(Default)]
pub struct Orderings {
    relaxed: u32,
}

// Foreign and `#[non_exhaustive]`: variants may come that no handler can name today.
#[event_handler(Ordering, ignore(Release | Acquire | AcqRel | SeqCst))]
impl Orderings {
    #[on(Relaxed)]
    fn relax(&mut self) {
        self.relaxed += 1;
    }
}

#[derive(Default)]
pub struct Shutdowns {
    any: u32,
}

// Foreign, but complete.
#[event_handler(Shutdown)]
impl Shutdowns {
    #[on(Read | Write | Both)]
    fn shut(&mut self) {
        self.any += 1;
    }
}

fn main() {}
