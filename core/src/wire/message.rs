//! The macro that declares messages: one table gives the struct and its [`Shape`](super::shape::Shape).

/// Declares messages: struct and table at once.
///
/// A row is `rust_name "vendorName" | "olderName": Type => Kind, flag;` where `=> Kind` overrides the
/// kind that follows from the type, and flags are builder methods of [`Field`].
macro_rules! message {
    ($(
        $(#[doc = $doc:literal])*
        $message:ident $(rules [$($rule:expr),*])? {
            $(
                $(#[doc = $fdoc:literal])*
                $ident:ident $name:literal $(| $alias:literal)* : $ty:ty $(=> $kind:expr)? $(, $flag:ident)* ;
            )*
        }
    )*) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $message {
            $(
                $(#[doc = $fdoc])*
                #[serde(
                    rename = $name,
                    deserialize_with = "crate::wire::shape::lenient",
                    skip_serializing_if = "crate::wire::shape::Slot::is_absent"
                )]
                pub $ident: $ty,
            )*
        }
        impl std::fmt::Debug for $message {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                crate::wire::debug::Members::begin(<Self as crate::wire::shape::Message>::SHAPE, f)
                    $(.field(&self.$ident))*
                    .end()
            }
        }
        impl crate::wire::shape::Value for $message {
            const KIND: crate::wire::shape::Kind =
                crate::wire::shape::Kind::Object(<Self as crate::wire::shape::Message>::SHAPE);
            fn write_complete(&self, out: &mut String) {
                crate::wire::complete::Members::begin(<Self as crate::wire::shape::Message>::SHAPE, out)
                    $(.field(&self.$ident))*
                    .end();
            }
        }
        impl crate::wire::shape::Message for $message {
            const SHAPE: &'static crate::wire::shape::Shape = &crate::wire::shape::Shape {
                name: stringify!($message),
                doc: concat!($($doc),*),
                fields: &[$(
                    crate::wire::shape::Field::new(
                        $name,
                        stringify!($ident),
                        concat!($($fdoc),*),
                        crate::wire::message::message!(@kind $ty $(=> $kind)?),
                    )$(.$flag())*.aliases(&[$($alias),*]).key(concat!("\"", $name, "\":")),
                )*],
                rules: &[$($($rule),*)?],
            };
        }
    )*
        /// The messages of this table.
        #[cfg(test)]
        #[allow(dead_code)] // A test may declare a message of its own.
        pub(in crate::wire) const MESSAGES: &[&crate::wire::shape::Shape] =
            &[$(<$message as crate::wire::shape::Message>::SHAPE),*];
    };
    (@kind $ty:ty => $kind:expr) => { $kind };
    (@kind $ty:ty) => { <$ty as crate::wire::shape::Slot>::KIND };
}
pub(crate) use message;
