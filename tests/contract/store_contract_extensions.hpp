#pragma once

// Part of the store contract, see store_contract.hpp: generators and sinks.
#include "tests/contract/store_contract_fixture.hpp"

namespace distributo::tests {

class StoreContractExtensions : public StoreContract {
protected:
    static core::Cursor cursor(core::ExtensionNumber number, std::string checkpoint) {
        core::Cursor made;
        made.extension = number;
        made.checkpoint = std::move(checkpoint);
        return made;
    }
    store::Recovered with(store::Transaction transaction) {
        commit(std::move(transaction));
        return restart();
    }
};

TEST_P(StoreContractExtensions, ExtensionsComeBackAsTheyWereLast) {
    EXPECT_TRUE(restart().extensions.empty());
    store::Transaction made;
    made.extensions = {
        {1, core::ExtensionKind::generator, "words", "", false, false},
        {2, core::ExtensionKind::sink, "table", R"({"file":"a\u0000b"})", false, false}};
    commit(std::move(made));
    store::Transaction changed;
    changed.extensions = {{1, core::ExtensionKind::generator, "words", "", true, false},
                          {2, core::ExtensionKind::sink, "table", "{}", false, true}};
    const auto recovered = with(std::move(changed));

    ASSERT_EQ(recovered.extensions.size(), 2U);
    const auto& words = recovered.extensions[0];
    EXPECT_EQ(words.number, 1U);
    EXPECT_EQ(words.kind, core::ExtensionKind::generator);
    EXPECT_EQ(words.name, "words");
    EXPECT_EQ(words.definition, "");
    EXPECT_TRUE(words.paused);
    EXPECT_FALSE(words.removed);
    const auto& table = recovered.extensions[1];
    EXPECT_EQ(table.kind, core::ExtensionKind::sink);
    EXPECT_EQ(table.definition, "{}");
    EXPECT_FALSE(table.paused);
    EXPECT_TRUE(table.removed);
}

TEST_P(StoreContractExtensions, ACursorComesBackWithEveryMember) {
    auto made = cursor(3, std::string("\0\xff half a checkpoint", 20));
    made.sequence = (std::uint64_t{1} << 55U) + 1;
    made.tasks = 10;
    made.duplicates = 2;
    made.outcomes = 7;
    made.ended = true;
    store::Transaction transaction;
    transaction.cursors = {made, cursor(5, "")};
    const auto recovered = with(std::move(transaction));

    ASSERT_EQ(recovered.cursors.size(), 2U);
    const auto& back = recovered.cursors[0];
    EXPECT_EQ(back.extension, 3U);
    EXPECT_EQ(back.checkpoint, made.checkpoint);
    EXPECT_EQ(back.sequence, made.sequence);
    EXPECT_EQ(back.tasks, 10U);
    EXPECT_EQ(back.duplicates, 2U);
    EXPECT_EQ(back.outcomes, 7U);
    EXPECT_TRUE(back.ended);
    EXPECT_EQ(recovered.cursors[1].extension, 5U);
    EXPECT_FALSE(recovered.cursors[1].ended);
}

TEST_P(StoreContractExtensions, OfTwoCursorsTheLastCounts) {
    store::Transaction transaction;
    transaction.cursors = {cursor(3, "one"), cursor(3, "two")};
    commit(std::move(transaction));
    store::Transaction next;
    next.cursors = {cursor(3, "three"), cursor(3, "four")};

    const auto recovered = with(std::move(next));

    ASSERT_EQ(recovered.cursors.size(), 1U);
    EXPECT_EQ(recovered.cursors[0].checkpoint, "four");
}

TEST_P(StoreContractExtensions, ATaskRemembersItsGenerator) {
    auto plain = task("a");
    plain.generator = 4;
    auto named = StoreContract::named("b", "x", "1");
    named.generator = 5;
    named.parent = 9;
    const auto first = add(plain);
    const auto second = add(named);
    const auto other = add(task("a"));

    const auto recovered = restart();
    ASSERT_EQ(recovered.live.size(), 3U);
    EXPECT_EQ(recovered.live[0].task.generator, 4U);
    EXPECT_EQ(recovered.live[1].task.generator, 5U);
    EXPECT_EQ(recovered.live[2].task.generator, 0U);
    EXPECT_EQ(find(first)->task.generator, 4U);

    end(completed(second));
    end(completed(other));
    const auto page = results({});
    ASSERT_EQ(page.tasks.size(), 2U);
    EXPECT_EQ(page.tasks[0].task.generator, 5U);
    EXPECT_EQ(page.tasks[0].task.payload.view(), "1");
    EXPECT_EQ(page.tasks[1].task.generator, 0U);
    EXPECT_EQ(list({}).tasks.at(1).task.generator, 5U);
    EXPECT_EQ(reopen(second)->task.generator, 5U);
}

TEST_P(StoreContractExtensions, TasksAndResultsOfOneGeneratorAreFound) {
    Ids of_four;
    for (core::ExtensionNumber generator : {4U, 5U, 0U, 4U}) {
        auto made = generator == 4 ? task("a") : grouped("a", "g");
        made.generator = generator;
        const auto id = add_ended(std::move(made));
        if (generator == 4)
            of_four.push_back(id);
    }
    const Ids newest_first(of_four.rbegin(), of_four.rend());

    EXPECT_EQ(ids(list({.generator = 4})), newest_first);
    EXPECT_TRUE(list({.group = "g", .generator = 4}).tasks.empty());
    EXPECT_EQ(list({.group = "g", .generator = 5}).tasks.size(), 1U);
    EXPECT_TRUE(list({.generator = 6}).tasks.empty());
    const auto page = results({.generator = 4});
    EXPECT_EQ(ids(page), of_four);
    EXPECT_EQ(page.next_after, 4U);
    const auto none = results({.generator = 6});
    EXPECT_TRUE(none.tasks.empty());
    EXPECT_EQ(none.next_after, 4U) << "what was passed over need not be looked at again";
    EXPECT_EQ(results({.group = "g", .generator = 5}).tasks.size(), 1U);
}

TEST_P(StoreContractExtensions, TheTextOfADedupeKeyIsKept) {
    core::TaskOptions options;
    options.given_id = "dedupe-1";
    options.dedupe_key = "https://example.org/a?b=\"c\"";
    const auto id = add(StoreContract::with(options));

    const auto recovered = restart();
    EXPECT_EQ(recovered.live.at(0).task.options->dedupe_key, options.dedupe_key);
    EXPECT_EQ(find(id)->task.options->dedupe_key, options.dedupe_key);
    store::Transaction again;
    again.submits = {StoreContract::with(options)};
    const auto repeated = commit(std::move(again));
    ASSERT_EQ(repeated.duplicates.size(), 1U);
    EXPECT_TRUE(repeated.duplicates[0].identical);
}

TEST_P(StoreContractExtensions, OutcomesThatAreNeededStayWhateverTheirAge) {
    Ids all;
    for (int i = 0; i < 3; ++i) {
        all.push_back(add(task("a")));
        end(completed(all.back()));
        all.push_back(add(task("a")));
        end(failed(all.back(), 1));
    }
    store::Retention retention{.completed = 0s, .unsuccessful = 0s, .needed_after = 3};
    prune(retention, reopened_at);
    EXPECT_EQ(ids(results({})), (Ids{all[3], all[4], all[5]}));
    EXPECT_EQ(results({}).oldest, 4U);
    EXPECT_FALSE(find(all[2]));

    retention.needed_after = 4;
    prune(retention, reopened_at);
    EXPECT_EQ(ids(results({})), (Ids{all[4], all[5]}));

    retention.most_ended = 1;
    prune(retention, reopened_at);
    EXPECT_EQ(ids(results({})), (Ids{all[5]})) << "most_ended counts all the same";

    retention.needed_after = ~std::uint64_t{0};
    prune(retention, reopened_at);
    EXPECT_TRUE(results({}).tasks.empty());
}

}  // namespace distributo::tests
