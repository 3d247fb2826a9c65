#![doc = include_str!("../README.md")]

pub mod ports;
pub mod value;
