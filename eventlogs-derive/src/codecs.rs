//! The codecs that `codec = "…"` knows by name.

/// Declares the codecs, one line each, and the items derived from their names.
macro_rules! codecs {
    ($(#[$first_doc:meta])* $first:ident = $first_name:literal, $($(#[$doc:meta])* $codec:ident = $name:literal,)*) => {
        /// A codec of the library. The library's feature has the same name, and so has the macro in
        /// `eventlogs::__private::codec` that reports whether this feature is enabled.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum BuiltInCodec {
            $(#[$first_doc])* $first,
            $($(#[$doc])* $codec,)*
        }

        impl BuiltInCodec {
            /// All built-in codecs.
            pub(crate) const ALL: &'static [Self] = &[Self::$first, $(Self::$codec),*];

            /// The values that `codec = …` takes, for messages.
            pub(crate) const TAKES: &'static str =
                concat!("`\"", $first_name, "\"`", $(", `\"", $name, "\"`",)* " or a type");

            /// The codec's name in the attribute.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    Self::$first => $first_name,
                    $(Self::$codec => $name,)*
                }
            }
        }
    };
}

codecs! {
    /// JSON, the default.
    Json = "json",
    /// MessagePack.
    MsgPack = "msgpack",
}
