//! The committed supergraph is what composition says.

use pulse_bench_subgraphs::{ADDRESS, SUPERGRAPH, sdls};
use pulse_schema::{SubgraphSdl, compose};

#[test]
fn the_committed_supergraph_is_what_the_subgraphs_compose_to() {
    let subgraphs = sdls().map(|(name, sdl)| SubgraphSdl {
        name: name.to_owned(),
        url: Some(format!("{ADDRESS}/{name}")),
        sdl,
    });
    let composed = compose(&subgraphs).expect("the subgraphs compose").supergraph;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/supergraph.graphql");
    if std::env::var_os("UPDATE_SUPERGRAPH").is_some() {
        std::fs::write(path, &composed).expect("the file can be written");
    } else {
        assert_eq!(SUPERGRAPH, composed, "run the test with UPDATE_SUPERGRAPH=1 to write it");
    }
}
