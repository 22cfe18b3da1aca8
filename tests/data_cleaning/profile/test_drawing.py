from data_cleaning.profile.drawing import plot_style, readable


def test_plot_labels_replace_missing_glyphs_and_name_the_row():
    with plot_style():
        assert readable(["R$D$", "🚀  Growth 🚀🚀", "a\n b"]) == ["R$D$", "no. 2: […] Growth […]", "a b"]
        assert readable(["\U0010fffd"], first=7) == ["no. 7: […]"]
        cut = readable(["W" * 80, "i" * 80])
    assert cut[0].endswith("…")
    assert cut[1] == "i" * 80
