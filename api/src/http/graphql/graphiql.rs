//! `/graphiql`: the page to try operations, and what it loads, all from here.

use std::sync::LazyLock;

use poem::{Response, Route, get, handler, http::StatusCode, web::Path};

use crate::http::pages;

/// Where its files are. A new version of them has new addresses, so that browsers may keep the old.
const FOLDER: &str = "/assets/graphiql/4.1.2";

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Scripts from here alone. The editor sets styles on what it draws, and its style sheet has its fonts and pictures in it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// By name: what kind of file it is, and the file.
const FILES: [(&str, &str, &str); 7] = [
    (
        "graphiql.min.css",
        STYLE,
        include_str!("../../../assets/graphiql/graphiql.min.css"),
    ),
    (
        "page.css",
        STYLE,
        include_str!("../../../assets/graphiql/page.css"),
    ),
    (
        "react.production.min.js",
        SCRIPT,
        include_str!("../../../assets/graphiql/react.production.min.js"),
    ),
    (
        "react-dom.production.min.js",
        SCRIPT,
        include_str!("../../../assets/graphiql/react-dom.production.min.js"),
    ),
    (
        "graphiql.min.js",
        SCRIPT,
        include_str!("../../../assets/graphiql/graphiql.min.js"),
    ),
    (
        "graphql-ws.min.js",
        SCRIPT,
        include_str!("../../../assets/graphiql/graphql-ws.min.js"),
    ),
    (
        "start.js",
        SCRIPT,
        include_str!("../../../assets/graphiql/start.js"),
    ),
];

static PAGE: LazyLock<String> = LazyLock::new(|| {
    include_str!("../../../assets/graphiql/page.html").replace("{folder}", FOLDER)
});

/// Adds the page and its files to a route.
pub(super) fn mount(route: Route) -> Route {
    route
        .at("/graphiql", get(page))
        .at(format!("{FOLDER}/:name"), get(file))
}

#[handler]
fn page() -> Response {
    pages::html_response(StatusCode::OK, POLICY, PAGE.clone())
}

#[handler]
fn file(Path(name): Path<String>) -> Response {
    let Some((_, kind, text)) = FILES.iter().find(|(known, _, _)| *known == name) else {
        return StatusCode::NOT_FOUND.into();
    };
    Response::builder()
        .content_type(kind)
        .header("Cache-Control", "public, max-age=31536000, immutable")
        .body(*text)
}
