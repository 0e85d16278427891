// What makes the console quicker under the hands. Every page works without it.
document.addEventListener("keydown", function (event) {
    var box = document.getElementById("find");
    var typing = event.target.closest("input, select, textarea");
    if (event.key !== "/" || typing || !box || event.ctrlKey || event.metaKey || event.altKey) { return; }
    event.preventDefault();
    box.focus();
    box.select();
});

// What stands in a closed fold cannot have the focus: all folds around it are opened first.
function focusOn(node) {
    var around = node.tagName === "SUMMARY" ? node.parentElement.parentElement : node;
    for (var fold = around.closest("details"); fold; fold = fold.parentElement.closest("details")) { fold.open = true; }
    node.focus();
}

// When a page looks again by itself, what its reader opened stays open, and what was scrolled stays where it was: each
// known by its id, or by its place among those without one. The focus htmx itself gives back, by the id of what has it,
// but for what stands in a fold, which is closed at that moment.
function placed(within) {
    var nameless = 0;
    var found = within ? Array.from(within.querySelectorAll("details, .scroll, .picture, pre")) : [];
    return found.map(function (each) { return [each.id || "number " + nameless++, each]; });
}
var seen = { id: "", had: "", places: {} };
document.addEventListener("htmx:beforeSwap", function (event) {
    seen = { id: event.detail.target.id, had: document.activeElement.id, places: {} };
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
    var had = seen.had && document.getElementById(seen.had);
    if (had && document.activeElement === document.body) { focusOn(had); }
});

// A page that asks is a dialog: who leaves it, by its link or by Esc, is back where they pressed, with the focus there.
var here = location.pathname + location.search;
var leave = document.querySelector("[data-leave]");
var pressed = JSON.parse(sessionStorage.getItem("pressed") || "null");
if (leave && pressed) {
    leave.href = pressed.page;
} else if (pressed) {
    sessionStorage.removeItem("pressed");
    var had = pressed.page === here && document.getElementById(pressed.id);
    if (had) { focusOn(had); }
}
document.addEventListener("click", function (event) {
    var link = event.target.closest("a.button[id]");
    if (link && !leave) { sessionStorage.setItem("pressed", JSON.stringify({ page: here, id: link.id })); }
});
document.addEventListener("keydown", function (event) {
    var field = event.target.closest("input, select, textarea");
    // What somebody has typed is not thrown away by a key.
    if (event.key === "Escape" && leave && !(field && field.value)) { leave.click(); }
});
