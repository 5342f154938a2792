"""What runs inside a child: the only code that hands untrusted bytes to image, DICOM and PDF libraries.

Each module offers `draw(files, put, arguments)`, named as the task that the parent asks for.
"""
