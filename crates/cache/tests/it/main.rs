//! The cache as its users see it.

mod fixture;
mod freshness;
mod invalidation;
mod limits;
mod outages;
mod redis;
mod stampede;
mod walls;
