from data_cleaning.profile.drawing import house_style, readable


def test_labels_of_a_plot_keep_what_can_be_drawn_and_name_the_row_of_the_rest():
    with house_style():
        assert readable(["R$D$", "🚀  Growth 🚀🚀", "a\n b"]) == ["R$D$", "no. 2: […] Growth […]", "a b"]
        assert readable(["\U0010fffd"], first=7) == ["no. 7: […]"]
        cut = readable(["W" * 80, "i" * 80])
    assert cut[0].endswith("…")
    assert cut[1] == "i" * 80
