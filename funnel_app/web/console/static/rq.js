// Light or dark as was chosen in the console; without a choice the device decides.
document.documentElement.dataset.theme = document.getElementById("console-pages").dataset.theme;
// rq-dashboard's pages are a document without rights: no cookie, no call. What they would fetch came with the page.
Object.defineProperty(document, "cookie", { get: function () { return ""; } });
$.getJSON = function (url, show) {
    var words = document.getElementById("rq-data").textContent;
    if (/\/data\//.test(url)) { show(JSON.parse(words)); }
    return { fail: function () { return this; } };
};
