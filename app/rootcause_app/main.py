"""What Streamlit runs for every visit: the pages, in the order in which one reads them."""

import streamlit as st

from rootcause_app.components import styles
from rootcause_app.pages import alternatives, compare, explorer, laboratory, network, numbers, own, step

st.set_page_config(page_title="Rootcause", page_icon=styles.icon(), layout="wide")
st.navigation(
    [
        st.Page(explorer.page, title="Explorer", url_path="explorer", default=True),
        st.Page(network.page, title="Network", url_path="network"),
        st.Page(compare.page, title="Compare", url_path="compare"),
        st.Page(laboratory.page, title="Sensitivity", url_path="sensitivity"),
        st.Page(alternatives.page, title="Switch sources", url_path="sources"),
        st.Page(step.page, title="Step through a case", url_path="step"),
        st.Page(numbers.page, title="Numbers and sources", url_path="numbers"),
        st.Page(own.page, title="Your numbers", url_path="own"),
    ],
    position="top",
).run()
