use async_graphql::SDLExportOptions;

fn sdl() -> String {
    pulse_analytics::schema().sdl_with_options(SDLExportOptions::new().federation())
}

#[test]
fn organizations_are_extended_and_entities_referred_to() {
    let sdl = sdl();
    for expected in [
        "type Organization @key(fields: \"id\") {",
        "type Entity @key(fields: \"id\", resolvable: false) {",
        "activity(",
        "timeSeries(",
        "recordEvents(",
    ] {
        assert!(sdl.contains(expected), "{expected} is not in\n{sdl}");
    }
}
