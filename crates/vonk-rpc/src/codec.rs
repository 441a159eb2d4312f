//! Messages: serde types as postcard, in gRPC's frames.
//!
//! Must not know: which messages there are.

use bytes::{Buf, BufMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// The codec of generated services. Lengths are limited by the service's `max_decoding_message_size`.
#[derive(Debug)]
pub struct PostcardCodec<E, D>(PhantomData<fn(E) -> D>);

impl<E, D> Default for PostcardCodec<E, D> {
    fn default() -> Self {
        PostcardCodec(PhantomData)
    }
}

impl<E, D> Codec for PostcardCodec<E, D>
where
    E: Serialize + Send + 'static,
    D: DeserializeOwned + Send + 'static,
{
    type Encode = E;
    type Decode = D;
    type Encoder = PostcardEncoder<E>;
    type Decoder = PostcardDecoder<D>;

    fn encoder(&mut self) -> Self::Encoder {
        PostcardEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        PostcardDecoder(PhantomData)
    }
}

/// Writes messages.
#[derive(Debug)]
pub struct PostcardEncoder<E>(PhantomData<fn(E)>);

impl<E: Serialize> Encoder for PostcardEncoder<E> {
    type Item = E;
    type Error = Status;

    fn encode(&mut self, item: E, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        // Message by message into one vector: `EncodeBuf` cannot be written to by postcard piece by piece without checks for room.
        let bytes = postcard::to_stdvec(&item)
            .map_err(|e| Status::internal(format!("a message cannot be encoded: {e}")))?;
        out.reserve(bytes.len());
        out.put_slice(&bytes);
        Ok(())
    }
}

/// Reads messages. What is not one is refused with `INVALID_ARGUMENT`.
#[derive(Debug)]
pub struct PostcardDecoder<D>(PhantomData<fn() -> D>);

impl<D: DeserializeOwned> Decoder for PostcardDecoder<D> {
    type Item = D;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<D>, Status> {
        let bytes = source.copy_to_bytes(source.remaining());
        let malformed = |e| Status::invalid_argument(format!("a message cannot be decoded: {e}"));
        let (message, rest) = postcard::take_from_bytes(&bytes).map_err(malformed)?;
        if !rest.is_empty() {
            return Err(Status::invalid_argument("a message has more bytes than it should"));
        }
        Ok(Some(message))
    }
}
