//! Tests that the example's codec returns the values it was given.

#[expect(dead_code, reason = "of the example only the codec is tested")]
#[expect(
    unreachable_pub,
    reason = "the file is the root of a program elsewhere"
)]
#[path = "../custom_codec.rs"]
mod custom_codec;

eventlogs::testing::codec_laws!(run_length_laws, crate::custom_codec::RunLengthJson);
