/* The header in a program that is compiled without exceptions: every call returns a result. */
#include <alterrec/alterrec.hpp>

#include <cstdio>

int main() {
    alterrec::result<alterrec::catalog> catalog = alterrec::catalog::create({"cup", "pot", "rake"});
    if (!catalog)
        return 1;
    alterrec::result<alterrec::catalog> none = alterrec::catalog::create(0);
    if (none || none.status() != ALTERREC_ERROR_INVALID_ARGUMENT || none.text().empty())
        return 2;
    alterrec::result<alterrec::config> config = alterrec::config::create();
    if (!config || !config->set("model.dim", 8) || config->set("model.dim", -1))
        return 3;
    alterrec::result<alterrec::model> model = alterrec::model::create(*catalog, *config);
    alterrec::result<alterrec::recommender> recommender = alterrec::recommender::create(*model);
    alterrec::result<alterrec::batch> batch = alterrec::batch::create();
    if (!model || !recommender || !batch || !batch->add({0, 1}))
        return 4;
    int calls = 0;
    auto declines = [&](const alterrec_fusion_tile &) {
        calls++;
        return alterrec::stop;
    };
    alterrec::search how;
    how.fuse_by(declines);
    alterrec::result<alterrec::recommendations> best = recommender->top_k(*batch, 2, how);
    return best && calls == 0 && best->items_of(0).size() == 2 ? 0 : 6;
}
