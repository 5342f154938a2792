"""The artifacts that read-only storage needs: thumbnails, sizes, frames, segments, manifests."""
