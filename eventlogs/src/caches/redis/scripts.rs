//! The changes of an entry. Each compares and changes in one atomic step within Redis, and takes one round trip.

use crate::caches::envelope::ORDER_BYTES;
use redis::{Cmd, Script, cmd};
use std::sync::LazyLock;

/// A Lua script, which Redis runs as one atomic step.
pub(super) struct Compare {
    code: &'static str,
    /// The hash by which Redis knows the code, once it has seen it.
    hash: LazyLock<String>,
}

/// Keeps an entry (the first argument) for a number of milliseconds (the second argument; indefinitely if it is empty), unless
/// there is an entry that was reduced further. An existing value counts only if it has this format.
///
/// The index is compared in two halves, because Lua's numbers have 53 bits. It is not compared as a string, because that would
/// depend on the server's locale.
pub(super) static PUT: Compare = Compare {
    code: "
local kept = redis.pcall('GETRANGE', KEYS[1], 0, 12)
if type(kept) == 'string' and #kept == 13 and string.sub(kept, 1, 5) == string.sub(ARGV[1], 1, 5) then
  local kept_high, kept_low = struct.unpack('>I4I4', kept, 6)
  local high, low = struct.unpack('>I4I4', ARGV[1], 6)
  if kept_high > high or (kept_high == high and kept_low > low) then return 0 end
end
if ARGV[2] == '' then
  redis.call('SET', KEYS[1], ARGV[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1",
    hash: LazyLock::new(|| hash_of(PUT.code)),
};
const _: () = assert!(ORDER_BYTES == 13, "the script compares these bytes");

/// Removes an entry if it was reduced through this event.
pub(super) static REMOVE: Compare = Compare {
    code: "
if redis.pcall('GETRANGE', KEYS[1], 5, 28) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0",
    hash: LazyLock::new(|| hash_of(REMOVE.code)),
};

/// Removes a value that is not a valid entry: these bytes, or a value that is not a string.
pub(super) static DISCARD: Compare = Compare {
    code: "
local kept = redis.pcall('GET', KEYS[1])
if type(kept) == 'table' or kept == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0",
    hash: LazyLock::new(|| hash_of(DISCARD.code)),
};

fn hash_of(code: &str) -> String {
    Script::new(code).get_hash().to_owned()
}

impl Compare {
    /// The command that names the code by its hash. It is short, and enough if Redis has seen the code since it was started.
    pub(super) fn by_hash(&self, key: &str, arguments: &[&[u8]]) -> Cmd {
        Self::command("EVALSHA", &self.hash, key, arguments)
    }

    /// The command that sends the code, after which Redis knows it. It goes to the node of the key. A separate `SCRIPT LOAD`
    /// would be another round trip, and would have to go to all nodes of a cluster.
    pub(super) fn by_code(&self, key: &str, arguments: &[&[u8]]) -> Cmd {
        Self::command("EVAL", self.code, key, arguments)
    }

    fn command(name: &str, script: &str, key: &str, arguments: &[&[u8]]) -> Cmd {
        let mut command = cmd(name);
        command.arg(script).arg(1).arg(key);
        for argument in arguments {
            command.arg(*argument);
        }
        command
    }
}
