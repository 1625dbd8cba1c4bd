//! What can be written as a value.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::types::{Bin, Blob, Text, TextOrBytes};
use super::writer::ValueWriter;

/// A type that can be written as the value of a field.
///
/// ```
/// use rtm_proto::payload::{ToPayload, ValueWriter};
///
/// struct Point { x: i32, y: i32 }
///
/// impl ToPayload for Point {
///     fn write(&self, w: &mut ValueWriter<'_>) {
///         w.map(2);
///         "x".write(w);
///         self.x.write(w);
///         "y".write(w);
///         self.y.write(w);
///     }
/// }
/// ```
pub trait ToPayload {
    /// Writes exactly one value. What cannot be written is reported with [`ValueWriter::fail`].
    fn write(&self, w: &mut ValueWriter<'_>);
}

macro_rules! integers {
    ($($int:ty => $method:ident),*) => { $(
        impl ToPayload for $int {
            fn write(&self, w: &mut ValueWriter<'_>) {
                w.$method((*self).into());
            }
        }
    )* };
}

integers!(i8 => int, i16 => int, i32 => int, i64 => int, u8 => uint, u16 => uint, u32 => uint, u64 => uint);

impl ToPayload for bool {
    fn write(&self, w: &mut ValueWriter<'_>) {
        w.bool(*self);
    }
}

impl ToPayload for f64 {
    fn write(&self, w: &mut ValueWriter<'_>) {
        w.f64(*self);
    }
}

impl ToPayload for str {
    fn write(&self, w: &mut ValueWriter<'_>) {
        w.str(self);
    }
}

impl ToPayload for String {
    fn write(&self, w: &mut ValueWriter<'_>) {
        w.str(self);
    }
}

impl ToPayload for Text {
    fn write(&self, w: &mut ValueWriter<'_>) {
        w.str(&self.0);
    }
}

impl ToPayload for Bin<'_> {
    fn write(&self, w: &mut ValueWriter<'_>) {
        w.bin(self.0);
    }
}

impl ToPayload for Blob {
    fn write(&self, w: &mut ValueWriter<'_>) {
        w.bin(&self.0);
    }
}

impl ToPayload for TextOrBytes {
    fn write(&self, w: &mut ValueWriter<'_>) {
        match self {
            Self::Text(text) => w.str(text),
            Self::Bytes(bytes) => w.bin(bytes),
        }
    }
}

impl<T: ToPayload + ?Sized> ToPayload for &T {
    fn write(&self, w: &mut ValueWriter<'_>) {
        (**self).write(w);
    }
}

/// An array; bytes are wrapped in [`Bin`] instead.
impl<T: ToPayload> ToPayload for [T] {
    fn write(&self, w: &mut ValueWriter<'_>) {
        w.array(self.len());
        for element in self {
            element.write(w);
        }
    }
}

impl<T: ToPayload> ToPayload for Vec<T> {
    fn write(&self, w: &mut ValueWriter<'_>) {
        self.as_slice().write(w);
    }
}

impl<K: ToPayload, V: ToPayload> ToPayload for BTreeMap<K, V> {
    fn write(&self, w: &mut ValueWriter<'_>) {
        w.map(self.len());
        for (key, value) in self {
            key.write(w);
            value.write(w);
        }
    }
}
