//! The changes of an entry. Each compares and acts in one step within Redis, and is one round trip.

use crate::caches::envelope::ORDER_BYTES;
use redis::{Cmd, Script, cmd};
use std::sync::LazyLock;

/// A piece of Lua that Redis runs in one step.
pub(super) struct Compare {
    code: &'static str,
    /// What Redis knows the code by, once it has seen it.
    hash: LazyLock<String>,
}

/// Keeps an entry (the first argument) for some milliseconds (the second one, for ever if empty), unless one is there
/// that was reduced further. What is there counts only if it has this format.
///
/// The index is compared in two halves, as Lua's numbers have 53 bits, and not as a string, since that would depend on
/// the server's locale.
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

/// Drops an entry if it was reduced through this event.
pub(super) static REMOVE: Compare = Compare {
    code: "
if redis.pcall('GETRANGE', KEYS[1], 5, 28) == ARGV[1] then return redis.call('UNLINK', KEYS[1]) end
return 0",
    hash: LazyLock::new(|| hash_of(REMOVE.code)),
};

/// Drops what is no entry: these bytes, or a value that is no string at all.
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
    /// The command that names the code: short, and enough if Redis has seen it since it was started.
    pub(super) fn by_hash(&self, key: &str, arguments: &[&[u8]]) -> Cmd {
        Self::command("EVALSHA", &self.hash, key, arguments)
    }

    /// The command that brings the code along, after which Redis knows it. It goes to the node of the key, while a
    /// separate `SCRIPT LOAD` would be another round trip, and to all nodes of a cluster.
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
