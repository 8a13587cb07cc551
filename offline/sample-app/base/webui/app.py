"""PBJRAG sample WebUI."""

import streamlit as st

from store import Store
from version import VERSION

st.set_page_config(page_title=f"PBJRAG {VERSION}", page_icon="🥜")

st.title("🥜🍇 PBJRAG")
st.markdown(f"Release: {VERSION}")


@st.cache_resource
def store() -> Store:
    return Store()


upload = st.file_uploader("Upload a file")
if upload is not None:
    if st.session_state.get("indexed") != upload.file_id:
        store().add(upload.name, upload.getvalue())
        st.session_state["indexed"] = upload.file_id
    st.success(f"Indexed {upload.name}")

question = st.text_input("Search")
if question:
    for hit in store().search(question):
        st.markdown(f"**{hit.payload['file']}** ({hit.score:.2f})")
        st.code(hit.payload["text"])

st.subheader("Files")
st.markdown(f"Passages: {store().count()}")
for name in store().files():
    st.markdown(f"- {name}")
