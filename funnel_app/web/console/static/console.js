// What makes the console quicker under the hands. Every page works without it.
document.addEventListener("keydown", function (event) {
    var box = document.getElementById("find");
    var typing = event.target.closest("input, select, textarea");
    if (event.key !== "/" || typing || !box || event.ctrlKey || event.metaKey || event.altKey) { return; }
    event.preventDefault();
    box.focus();
    box.select();
});

// When a page looks again by itself, what its reader opened stays open, and what was scrolled stays where it was.
// The focus htmx itself gives back, by the id of what has it.
function placed(within) {
    return within ? Array.from(within.querySelectorAll("details, .scroll, .picture, pre")) : [];
}
var seen = { id: "", places: [] };
document.addEventListener("htmx:beforeSwap", function (event) {
    var target = event.detail.target;
    var places = placed(target).map(function (each) { return [each.open, each.scrollLeft, each.scrollTop]; });
    seen = { id: target.id, places: places };
});
document.addEventListener("htmx:afterSwap", function () {
    var now = placed(document.getElementById(seen.id));
    if (now.length !== seen.places.length) { return; }
    now.forEach(function (each, at) {
        if (each.tagName === "DETAILS") { each.open = seen.places[at][0]; }
        each.scrollLeft = seen.places[at][1];
        each.scrollTop = seen.places[at][2];
    });
});
