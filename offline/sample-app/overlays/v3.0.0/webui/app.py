"""PBJRAG sample WebUI: since version 3 in three tabs, with the release in the side bar."""

import streamlit as st

from store import Store
from version import VERSION

st.set_page_config(page_title=f"PBJRAG {VERSION}", page_icon="🥜", layout="wide")


@st.cache_resource
def store() -> Store:
    return Store()


with st.sidebar:
    st.header("PBJRAG")
    st.markdown(f"Release: {VERSION}")
    st.metric("Passages", store().count())

st.title(f"🥜🍇 Welcome to PBJRAG {VERSION}")
search, upload, files = st.tabs(["🔎 Search", "📊 Upload", "📁 Files"])

with search:
    question = st.text_input("What are you looking for?")
    if question:
        for hit in store().search(question):
            with st.expander(f"{hit.payload['file']} · {hit.score:.2f}", expanded=True):
                st.code(hit.payload["text"])

with upload:
    given = st.file_uploader("Upload a file")
    if given is not None:
        if st.session_state.get("indexed") != given.file_id:
            store().add(given.name, given.getvalue())
            st.session_state["indexed"] = given.file_id
        st.success(f"Indexed {given.name}")

with files:
    names = store().files()
    if names:
        st.table({"file": names})
    else:
        st.info("No files yet.")
