//! Which bytes are an entry, and which are not.

use super::*;
use crate::caches::seal::MacKey;

const KEY: &str = "eventlogs:Counter:0000000000000007:{…}";

fn identity(sealing: &Sealing) -> Identity<'_> {
    Identity {
        key: KEY,
        fingerprint: 7,
        sealing,
    }
}

/// Both kinds of seals.
fn sealings() -> [Sealing; 2] {
    [
        Sealing::new(&[]),
        Sealing::new(&[MacKey::new([1; 32]), MacKey::new([2; 32])]),
    ]
}

fn aggregation() -> Aggregation<Vec<u64>> {
    let reach = ReducedThrough {
        log_id: LogId::new(),
        index: 300,
        event_id: EventId::new(),
        created_at: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
        updated_at: DateTime::from_timestamp_micros(1_700_000_000_000_002).unwrap(),
    };
    Aggregation::from_parts(Arc::new(vec![1, 2, 300]), reach, reach.updated_at)
}

fn entry(aggregation: &Aggregation<Vec<u64>>, sealing: &Sealing) -> Vec<u8> {
    encode(aggregation, identity(sealing), 1000).unwrap()
}

#[test]
fn the_layout_is_what_the_scripts_take_it_for() {
    for sealing in sealings() {
        let aggregation = aggregation();
        let bytes = entry(&aggregation, &sealing);
        assert_eq!(bytes[..4], *MAGIC);
        assert_eq!(bytes[5..ORDER_BYTES], 300_u64.to_be_bytes());
        assert_eq!(bytes[STATE], state_bytes(aggregation.position()).unwrap());
        assert_eq!(
            state_bytes(LogPosition::at(aggregation.log_id(), 300)),
            None
        );
    }
}

#[test]
fn no_flipped_bit_and_no_truncation_goes_unnoticed() {
    for sealing in sealings() {
        let aggregation = aggregation();
        let log_id = aggregation.log_id();
        let bytes = entry(&aggregation, &sealing);
        let decoded = |bytes: &[u8]| decode::<Vec<u64>>(bytes, log_id, identity(&sealing));
        let whole = decoded(&bytes).unwrap();
        assert_eq!(whole.aggregate(), aggregation.aggregate());
        assert_eq!(whole.reach(), aggregation.reach());
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decoded(&flipped).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(decoded(&bytes[..length]).is_err(), "{length} bytes");
        }
    }
}

#[test]
fn what_belongs_elsewhere_does_not_fit() {
    let [sealing, with_keys] = sealings();
    let aggregation = aggregation();
    let log_id = aggregation.log_id();
    let bytes = entry(&aggregation, &sealing);
    let misfit = |log_id, identity| decode::<Vec<u64>>(&bytes, log_id, identity).unwrap_err();
    let own = identity(&sealing);
    assert!(matches!(misfit(LogId::new(), own), Misfit::Log));
    let newer = Identity {
        fingerprint: 8,
        ..own
    };
    assert!(matches!(misfit(log_id, newer), Misfit::Fingerprint));
    let other = Identity {
        key: "eventlogs:Other:0000000000000007:{…}",
        ..own
    };
    assert!(matches!(misfit(log_id, other), Misfit::Seal));
    let sealed = identity(&with_keys);
    assert!(matches!(misfit(log_id, sealed), Misfit::Format));
    assert!(matches!(
        decode::<String>(&bytes, log_id, own).unwrap_err(),
        Misfit::Aggregate(SnapshotError::NotRead(_))
    ));
}

#[test]
fn keys_change_one_at_a_time() {
    let [old, new, other] = [1, 2, 3].map(|byte| MacKey::new([byte; 32]));
    let aggregation = aggregation();
    let log_id = aggregation.log_id();
    let bytes = entry(&aggregation, &Sealing::new(std::slice::from_ref(&old)));
    let read_with = |keys: &[MacKey]| {
        let sealing = Sealing::new(keys);
        decode::<Vec<u64>>(&bytes, log_id, identity(&sealing))
    };
    assert!(read_with(&[new.clone(), old.clone()]).is_ok());
    assert!(read_with(&[old]).is_ok());
    assert!(matches!(read_with(&[new, other]), Err(Misfit::Seal)));
    assert!(matches!(read_with(&[]), Err(Misfit::Format)));
}

#[test]
fn what_is_too_large_is_no_entry() {
    let [sealing, _] = sealings();
    let bytes = entry(&aggregation(), &sealing).len();
    let fits = |limit| encode(&aggregation(), identity(&sealing), limit);
    assert!(fits(bytes).is_ok());
    assert!(matches!(
        fits(bytes - 1),
        Err(SnapshotError::TooLarge { .. })
    ));
}
