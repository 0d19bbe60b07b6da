// What crawl reads out of pages and addresses, without a network.
#include "crawl/html.hpp"
#include "crawl/marks.hpp"
#include "crawl/url.hpp"

#include <distributo/plugin.hpp>

#include <gtest/gtest.h>

namespace {

using crawl::mark_of;
using crawl::normal_url;
using crawl::origin_of;
using crawl::read_html;
using Links = std::vector<std::string>;

std::string normal(std::string_view reference, std::string_view base = "http://a.example/d/e/f?q") {
    return normal_url(base, reference).value_or("none");
}

// The examples of RFC 3986, 5.4.
TEST(CrawlUrl, ReferencesAreResolvedLikeTheStandardSays) {
    EXPECT_EQ(normal("g"), "http://a.example/d/e/g");
    EXPECT_EQ(normal("./g/"), "http://a.example/d/e/g/");
    EXPECT_EQ(normal("/g"), "http://a.example/g");
    EXPECT_EQ(normal("//b.example/x"), "http://b.example/x");
    EXPECT_EQ(normal("?y"), "http://a.example/d/e/f?y");
    EXPECT_EQ(normal("#s"), "http://a.example/d/e/f?q");
    EXPECT_EQ(normal("../g"), "http://a.example/d/g");
    EXPECT_EQ(normal("../../../../g"), "http://a.example/g");
    EXPECT_EQ(normal("https://b.example/x"), "https://b.example/x");
}

TEST(CrawlUrl, AllSpellingsOfAnAddressBecomeOne) {
    for (const std::string_view spelling : {"http://A.Example",
                                            "HTTP://a.example/",
                                            "http://a.example:80/",
                                            "http://a.example/x/..",
                                            "http://a.example/./",
                                            "http://a.example/#top",
                                            " \n http://a.exa\tmple/ "}) {
        EXPECT_EQ(normal(spelling), "http://a.example/") << spelling;
    }
    for (const std::string_view spelling : {"/%7euser/a%20b", "/~user/a b", "/%7Euser/%61%20b"}) {
        EXPECT_EQ(normal(spelling), "http://a.example/~user/a%20b") << spelling;
    }
    EXPECT_EQ(normal("/gr\xc3\xbc\xc3\x9f"
                     "e"),
              "http://a.example/gr%C3%BC%C3%9Fe");
    EXPECT_EQ(normal("/%c3%bc"), "http://a.example/%C3%BC");
    EXPECT_EQ(normal("/a%2Fb"), "http://a.example/a%2Fb") << "an encoded slash separates nothing";
    EXPECT_EQ(normal("/100%"), normal("/100%")) << "a lone % must not be read past the end";
    EXPECT_EQ(normal("https://a.example:443/"), "https://a.example/");
    EXPECT_EQ(normal("http://a.example:8080/"), "http://a.example:8080/");
}

TEST(CrawlUrl, OtherAddressesAreNone) {
    for (const std::string_view other : {"mailto:a@b.example",
                                         "javascript:void(0)",
                                         "ftp://a.example/",
                                         "data:text/plain,x",
                                         "http://user:pw@a.example/",
                                         "http://user@a.example/",
                                         "file:///etc/passwd",
                                         "http://"}) {
        EXPECT_EQ(normal(other), "none") << other;
    }
    EXPECT_EQ(normal_url({}, "no/base"), std::nullopt);
}

TEST(CrawlUrl, AnOriginIsSchemeHostAndPort) {
    EXPECT_EQ(origin_of("http://a.example:81/x?http://b/"), "http://a.example:81");
    EXPECT_NE(origin_of(normal("http://a.example/")), origin_of(normal("https://a.example/")));
    EXPECT_NE(origin_of(normal("http://a.example.evil/")), origin_of(normal("http://a.example/")));
}

TEST(CrawlHtml, LinksComeInTheOrderOfThePage) {
    const auto page = read_html(R"(<!DOCTYPE html><title> A  &amp;
        B </title><a href="one">1</a><A HREF='two' >2</A><a class=x href=three>3</a>
        <area href = "four"><iframe src="five"></iframe><frame src=six><a name=anchor><a href>
        <link href="style.css"><img src="picture.png"><a data-href="no" href="a?b=1&amp;c=2">)");
    EXPECT_EQ(page.title, "A & B");
    EXPECT_EQ(page.links, (Links{"one", "two", "three", "four", "five", "six", "a?b=1&c=2"}));
    EXPECT_EQ(page.base, "");
}

TEST(CrawlHtml, WhatOnlyLooksLikeALinkIsNone) {
    EXPECT_EQ(read_html("<!-- <a href=no> --><a href=yes>").links, Links{"yes"});
    EXPECT_EQ(read_html("<script>'<a href=no>'</script><a href=yes>").links, Links{"yes"});
    EXPECT_EQ(read_html("<style>a<b</style><a title='<a href=no>' href=yes>").links, Links{"yes"});
    EXPECT_EQ(read_html("<textarea><a href=no></textarea >1 < 2<a href=yes>").links, Links{"yes"});
}

TEST(CrawlHtml, WishesOfThePageAreRespected) {
    EXPECT_EQ(read_html(R"(<a rel="nofollow ugc" href=no><a rel=next href=yes>)").links,
              Links{"yes"});
    EXPECT_EQ(read_html(R"(<a href=no><meta name="Robots" content="noindex, NoFollow">)").links,
              Links{});
    EXPECT_EQ(read_html(R"(<base href="/x/"><base href="/y/"><a href=z>)").base, "/x/");
}

TEST(CrawlHtml, BrokenPagesEndSomewhere) {
    for (const std::string_view text : {"<",
                                        "<a",
                                        "<a ",
                                        "<a href",
                                        "<a href=",
                                        "<a href=\"",
                                        "<a href='x",
                                        "<!--",
                                        "<!",
                                        "</",
                                        "<title>",
                                        "<script>",
                                        "<a/",
                                        "<a / / =",
                                        "<a ===>",
                                        "&#",
                                        "<title>&#xFFFFFFFFFF;"}) {
        const std::string whole = "<a href=first>" + std::string(text);
        EXPECT_EQ(read_html(whole).links.front(), "first") << text;
    }
}

TEST(CrawlHtml, TitlesAreUtf8) {
    EXPECT_EQ(read_html("<title>gr\xfc\xdf"
                        "e</title>")
                  .title,
              "gr\uFFFD\uFFFDe");
    EXPECT_EQ(read_html("<title>gr\u00fc\u00dfe &#8364;&#x20ac; &#0; &#xD800;</title>").title,
              "gr\u00fc\u00dfe \u20ac\u20ac \uFFFD \uFFFD");
    EXPECT_EQ(read_html("<title>" + std::string(299, 'x') + "\u20ac</title>").title,
              std::string(299, 'x'));
    EXPECT_EQ(read_html("<title>one</title><title>two</title>").title, "one");
}

TEST(CrawlMarks, LongAddressesHaveShortMarks) {
    EXPECT_EQ(mark_of("crawl.page", "c", "http://a/"), "crawl.page c http://a/");
    const std::string address = "http://a/" + std::string(2000, 'x');
    const std::string mark = mark_of("crawl.page", "c", address);
    EXPECT_EQ(mark.size(), std::string("crawl.page c sha256:").size() + 64);
    EXPECT_NE(mark, mark_of("crawl.page", "c", address + "x"));
    EXPECT_EQ(mark_of("crawl.folder", "c", "/a\nb").find('\n'), std::string::npos);
}

TEST(CrawlMarks, RoomEndsWithTasksAndWithBytes) {
    crawl::Room tasks;
    std::size_t taken = 0;
    while (tasks.take(1)) {
        ++taken;
    }
    EXPECT_EQ(taken, crawl::max_follow_ups);
    crawl::Room bytes;
    EXPECT_FALSE(bytes.take(crawl::max_follow_up_bytes));
    EXPECT_TRUE(bytes.take(crawl::max_follow_up_bytes / 2));
    EXPECT_FALSE(bytes.take(crawl::max_follow_up_bytes / 2));
}

TEST(CrawlMarks, NamesAndDepthsAreChecked) {
    EXPECT_NO_THROW(crawl::require_limits("site-1.2_x", 1000));
    EXPECT_THROW(crawl::require_limits("", 0), distributo::Failure);
    EXPECT_THROW(crawl::require_limits("a b", 0), distributo::Failure);
    EXPECT_THROW(crawl::require_limits(std::string(65, 'x'), 0), distributo::Failure);
    EXPECT_THROW(crawl::require_limits("x", 1001), distributo::Failure);
}

}  // namespace
