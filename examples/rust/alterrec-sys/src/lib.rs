//! The functions of libalterrec as C has them. What each does stands in `alterrec.h`.
#![no_std]
#![allow(non_camel_case_types)]

#[rustfmt::skip]
mod generated;
pub use generated::*;
