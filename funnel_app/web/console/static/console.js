// What makes the console quicker under the hands. Every page works without it.
document.addEventListener("keydown", function (event) {
    var box = document.getElementById("find");
    var typing = event.target.closest("input, select, textarea");
    if (event.key !== "/" || typing || !box || event.ctrlKey || event.metaKey || event.altKey) { return; }
    event.preventDefault();
    box.focus();
    box.select();
});

// When a page looks again by itself, what its reader opened stays open, and what was scrolled stays where it was: each
// known by its id, or by its place among those without one. The focus htmx itself gives back, by the id of what has it.
function placed(within) {
    var nameless = 0;
    var found = within ? Array.from(within.querySelectorAll("details, .scroll, .picture, pre")) : [];
    return found.map(function (each) { return [each.id || "number " + nameless++, each]; });
}
var seen = { id: "", places: {} };
document.addEventListener("htmx:beforeSwap", function (event) {
    seen = { id: event.detail.target.id, places: {} };
    placed(event.detail.target).forEach(function (each) {
        seen.places[each[0]] = [each[1].open, each[1].scrollLeft, each[1].scrollTop];
    });
});
document.addEventListener("htmx:afterSwap", function () {
    placed(document.getElementById(seen.id)).forEach(function (each) {
        var was = seen.places[each[0]];
        if (!was) { return; }
        if (each[1].tagName === "DETAILS") { each[1].open = was[0]; }
        each[1].scrollLeft = was[1];
        each[1].scrollTop = was[2];
    });
});
