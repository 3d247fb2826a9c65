use async_graphql::SDLExportOptions;

fn sdl() -> String {
    pulse_vectors::schema().sdl_with_options(SDLExportOptions::new().federation())
}

#[test]
fn collections_are_owned_and_entities_extended() {
    let sdl = sdl();
    for expected in [
        "type Collection @cacheControl(scope: TENANT) @key(fields: \"id\") {",
        "type Entity @cacheControl(scope: TENANT) @key(fields: \"id\") {",
        "similar(",
        "search(",
        "collections(",
    ] {
        assert!(sdl.contains(expected), "{expected} is not in\n{sdl}");
    }
}
