//! Compares two encoded values.

use crate::caches::snapshot::format::{Problem, tag};
use crate::caches::snapshot::reader::Reader;
use crate::caches::snapshot::trace::{hash_of, mixed};
use serde::de::Error;

/// Returns `true` if two encoded values are the same. Maps and sets have no order of their own: it changes whenever they are
/// read, so the order of entries does not count. A sequence cannot be distinguished from a set, so the order of elements does
/// not count either. A type that reads a sequence in another order than it writes it is a matter for its author's tests.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one == other
        || matches!(
            (digest(&mut Reader::new(one)), digest(&mut Reader::new(other))),
            (Ok(one), Ok(other)) if one == other
        )
}

/// A hash of the next value.
fn digest(reader: &mut Reader<'_>) -> Result<u64, Problem> {
    let tag = reader.tag()?;
    let content = match tag {
        tag::NONE | tag::UNIT | tag::FALSE | tag::TRUE => 0,
        tag::I8..=tag::I64 | tag::U8..=tag::U64 | tag::CHAR => reader.number()?,
        tag::I128 | tag::U128 => hash_of(reader.take(16)?),
        tag::F32 => hash_of(reader.take(4)?),
        tag::F64 => hash_of(reader.take(8)?),
        tag::STR | tag::BYTES => hash_of(reader.bytes()?),
        tag::SOME => reader.nested(digest)?,
        tag::SEQ => reader.nested(|reader| sum(reader, digest))?,
        tag::TUPLE => reader.nested(elements)?,
        tag::MAP => reader.nested(|reader| sum(reader, entry))?,
        tag::STRUCT => reader.nested(|reader| sum(reader, field))?,
        tag::UNIT_VARIANT => name(reader)?,
        tag::NEWTYPE_VARIANT => {
            let name = name(reader)?;
            mixed(name, reader.nested(digest)?)
        }
        tag::TUPLE_VARIANT => {
            let name = name(reader)?;
            mixed(name, reader.nested(elements)?)
        }
        tag::STRUCT_VARIANT => {
            let name = name(reader)?;
            mixed(name, reader.nested(|reader| sum(reader, field))?)
        }
        tag => return Err(Problem::custom(format_args!("the tag {tag} is unknown"))),
    };
    Ok(mixed(u64::from(tag), content))
}

/// The hash of parts that have no order.
fn sum(
    reader: &mut Reader<'_>,
    part: impl Fn(&mut Reader<'_>) -> Result<u64, Problem>,
) -> Result<u64, Problem> {
    let parts = reader.parts()?;
    let mut sum = parts as u64;
    for _ in 0..parts {
        sum = sum.wrapping_add(part(reader)?);
    }
    Ok(sum)
}

fn elements(reader: &mut Reader<'_>) -> Result<u64, Problem> {
    let parts = reader.parts()?;
    let mut hash = parts as u64;
    for _ in 0..parts {
        hash = mixed(hash, digest(reader)?);
    }
    Ok(hash)
}

fn entry(reader: &mut Reader<'_>) -> Result<u64, Problem> {
    let key = digest(reader)?;
    Ok(mixed(key, digest(reader)?))
}

fn field(reader: &mut Reader<'_>) -> Result<u64, Problem> {
    let name = name(reader)?;
    Ok(mixed(name, digest(reader)?))
}

fn name(reader: &mut Reader<'_>) -> Result<u64, Problem> {
    Ok(hash_of(reader.name()?.as_bytes()))
}
